import Addresses
import Contracts
import DTLS
import Deadlines
import Foundation
import MediaSession
import SDP
import Testing

@testable import MediaRelay

extension MediaLoop {
    /// Where the agent of a session believes the phone to be reachable.
    func remoteCandidates(_ id: String = "s") -> [String] {
        guard let name = names[id], let leg = legs[name] else { return [] }
        return leg.session.transport?.agent?.remoteCandidates.map { "\($0.address)" } ?? []
    }

    /// The same of who would go on with it, from what is deposited of it; and how many fragments wait for an answer.
    func recalledCandidates(_ id: String = "s") throws -> (addresses: [String], fragments: Int) {
        guard let name = names[id], let leg = legs[name] else { return ([], 0) }
        let record = try JSONDecoder().decode(LegRecord.self, from: JSONEncoder().encode(leg.legRecord))
        guard let left = record.transports.rtp else { return ([], record.fragments?.count ?? 0) }
        let transport = security.resume(left, .unknown, second: nil, record.exchange, now: loop.now)
        return (transport.agent?.remoteCandidates.map { "\($0.address)" } ?? [], record.fragments?.count ?? 0)
    }
}

/// What a description's owner would have said had it found its candidates later: the description without them, and the fragment with them (RFC 8840 §4.4).
private func split(_ text: String) -> (description: String, fragment: String) {
    let lines = text.components(separatedBy: "\r\n").filter { !$0.isEmpty }
    func isCandidate(_ line: String) -> Bool { line.hasPrefix("a=candidate") || line.hasPrefix("a=end-of-candidates") }
    let credentials = lines.filter { $0.hasPrefix("a=ice-ufrag") || $0.hasPrefix("a=ice-pwd") }
    let fragment = credentials + ["m=audio 9 RTP/AVP 0"] + lines.filter { $0.hasPrefix("a=mid:") } + lines.filter(isCandidate)
    func joined(_ lines: [String]) -> String { lines.map { $0 + "\r\n" }.joined() }
    return (joined(lines.filter { !isCandidate($0) }), joined(fragment))
}

extension RelaySide {
    func trickle(_ fragment: String, epoch: UInt64 = 1) async throws {
        _ = try await loop.trickle(TrickleInMediaSession(sessionID: "s", epoch: epoch, fragment: fragment))
    }
}

@Suite("MediaRelay: candidates that come later (RFC 8838, RFC 8840)", .timeLimit(.minutes(1)))
struct TrickledSessionTests {
    private func code(_ body: () async throws -> Void) async -> RPCError.Code? {
        do {
            try await body()
            return nil
        } catch { return (error as? RPCError)?.code }
    }

    @Test("RFC 8838 §11: who was told of no candidate checks those that come later, and the rooms hear each other; a successor knows them")
    func later() async throws {
        let (lite, full) = (try RelaySide(ports: 47000...47049), try RelaySide(ports: 47050...47099))
        let offer = split(try await lite.create(nil, .browser))
        let answer = try await full.create(offer.description)
        #expect(answer.contains("a=ice-options:ice2 trickle"), "RFC 8838 §3: who may trickle is told so")
        _ = try await lite.update(.answer, answer, .browser)
        #expect(await full.loop.remoteCandidates().isEmpty)
        try await full.trickle(offer.fragment)
        // Each INFO repeats what was in those before it.
        try await full.trickle(offer.fragment)
        #expect(await full.loop.remoteCandidates().count == 1)
        #expect(try await converse(lite, full))
        let (known, recalled) = (await full.loop.remoteCandidates(), try await full.loop.recalledCandidates())
        #expect(known == recalled.addresses)
    }

    @Test("RFC 8840 §4.3.3: candidates that are here before the answer they belong to wait for it, in what a successor knows, too")
    func beforeAnswer() async throws {
        let (full, lite) = (try RelaySide(ports: 47100...47149, iceMode: .full), try RelaySide(ports: 47150...47199))
        let answer = split(try await lite.create(try await full.create(nil, .browser)))
        try await full.trickle(answer.fragment)
        #expect(try await full.loop.recalledCandidates().fragments == 1)
        _ = try await full.update(.answer, answer.description, .browser)
        #expect(await full.loop.remoteCandidates().count == 1)
        #expect(try await full.loop.recalledCandidates().fragments == 0)
        #expect(try await converse(full, lite))
    }

    @Test("RFC 8840 §4.4: what has other credentials, or is for another line, is passed over; what cannot be read is refused, and a former owner, too")
    func passedOver() async throws {
        let (lite, full) = (try RelaySide(ports: 47200...47249), try RelaySide(ports: 47250...47299))
        let offer = split(try await lite.create(nil, .browser))
        _ = try await full.create(offer.description)
        let ufrag = try #require(offer.fragment.components(separatedBy: "\r\n").first { $0.hasPrefix("a=ice-ufrag:") })
        try await full.trickle(offer.fragment.replacing(ufrag, with: "a=ice-ufrag:other"))
        try await full.trickle(offer.fragment.replacing("a=mid:0", with: "a=mid:7"))
        try await full.trickle("a=end-of-candidates\r\n")
        let known = try await full.loop.recalledCandidates()
        #expect(known.addresses.isEmpty && known.fragments == 0)
        #expect(await code { try await full.trickle("v=0\r\n") } == .invalid)
        #expect(await code { try await full.trickle(offer.fragment, epoch: 0) } == .fenced)
        let nobody = try RelaySide(ports: 47300...47349)
        #expect(await code { try await nobody.trickle(offer.fragment) } == .notFound)
    }

    @Test("RELIABILITY V18: a candidate that only the relay's machine or link can reach, or a name, is no more checked when it comes later")
    func unreachable() async throws {
        var settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: 47350...47399, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        settings.media = try #require(IPAddress("192.0.2.1"))
        let loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))), occupancy: Occupancy(limit: 10) { _ in },
            events: SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in }))
        loop.start()
        defer { loop.loop.stop() }
        let credentials = ["a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y"]
        let fingerprint = "a=fingerprint:sha-256 " + (0..<32).map { _ in "5A" }.joined(separator: ":")
        let head: [String] = ["v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0", "a=ice-lite", "m=audio 9 UDP/TLS/RTP/SAVPF 0"]
        let offer: [String] = head + credentials + ["a=rtcp-mux", "a=mid:0", "a=ice-options:trickle", fingerprint, "a=setup:actpass"]
        _ = try await loop.create(
            CreateMediaSession(
                sessionID: "s", customerID: "c", callID: "call", owner: "CallServer-1", epoch: 1, offer: offer.map { $0 + "\r\n" }.joined()))
        let hosts = ["198.51.100.7", "127.0.0.1", "169.254.169.254", "5e1f3c2a-0000-4000-8000-000000000000.local", "::1", "fe80::1"]
        let candidates = hosts.enumerated().map { "a=candidate:\($0.offset) 1 udp 2130706431 \($0.element) 5060 typ host" }
        let fragment = (credentials + ["m=audio 9 RTP/AVP 0", "a=mid:0"] + candidates).map { $0 + "\r\n" }.joined()
        _ = try await loop.trickle(TrickleInMediaSession(sessionID: "s", epoch: 1, fragment: fragment))
        let taken = await loop.remoteCandidates()
        #expect(taken.count == 1 && taken.allSatisfy { "\($0)".contains("198.51.100.7") }, "\(taken)")
    }
}
