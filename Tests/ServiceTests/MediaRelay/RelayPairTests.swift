import Contracts
import Foundation
import SDP
import Testing

/// The lines of a description without some, and with others at its end.
private func edited(_ text: String, without prefixes: [String] = [], with lines: [String] = []) -> String {
    text.components(separatedBy: "\r\n").filter { line in !line.isEmpty && !prefixes.contains { line.hasPrefix($0) } }
        .map { $0 + "\r\n" }.joined() + lines.map { $0 + "\r\n" }.joined()
}

@Suite("MediaRelay: two relays as each other's phone", .timeLimit(.minutes(1)))
struct RelayPairTests {
    @Test("RFC 8445 §2.5: to a lite agent we answer as a full one, which checks, nominates, and the rooms hear each other")
    func liteOffer() async throws {
        let (lite, full) = (try RelaySide(ports: 45000...45049), try RelaySide(ports: 45050...45099))
        let offer = try await lite.create(nil, .browser)
        #expect(offer.contains("a=ice-lite"))
        let answer = try await full.create(offer)
        #expect(!answer.contains("a=ice-lite") && answer.contains("a=ice-ufrag:"))
        _ = try await lite.update(.answer, answer, .browser)
        #expect(try await converse(lite, full))
        #expect(await lite.loop.keyed().rtp)
        #expect(await full.loop.keyed().rtp)
    }

    @Test("TANDEM_ICE=full: our offer is a full agent's, and a lite phone's answer is checked and nominated")
    func fullOffer() async throws {
        let (full, lite) = (try RelaySide(ports: 45100...45149, iceMode: .full), try RelaySide(ports: 45150...45199))
        let offer = try await full.create(nil, .browser)
        #expect(!offer.contains("a=ice-lite"))
        let answer = try await lite.create(offer)
        #expect(answer.contains("a=ice-lite"))
        _ = try await full.update(.answer, answer, .browser)
        #expect(try await converse(full, lite))
    }

    @Test("RFC 5764 §4.1: without rtcp-mux RTCP has an association of its own, on its own port")
    func twoAssociations() async throws {
        let (left, right) = (try RelaySide(ports: 45200...45249), try RelaySide(ports: 45250...45299))
        let offer = edited(
            try await left.create(nil, .browser), without: ["a=rtcp-mux", "a=ice", "a=candidate", "a=end-of", "a=group", "a=mid"])
        let answer = try await right.create(offer)
        #expect(!answer.contains("rtcp-mux") && answer.contains("a=fingerprint"))
        _ = try await left.update(.answer, answer, .browser)
        #expect(try await converse(left, right))
        let isKeyed = try await eventually {
            let (first, second) = (await left.loop.keyed(), await right.loop.keyed())
            return first.rtp && second.rtp && first.rtcp == true && second.rtcp == true
        }
        #expect(isKeyed)
    }

    @Test("RFC 8445 §13: without rtcp-mux there is a second component, with checks and keys of its own")
    func twoComponents() async throws {
        let (left, right) = (try RelaySide(ports: 45300...45349), try RelaySide(ports: 45350...45399))
        let first = try await left.create(nil, .browser)
        let port = try SessionDescription.parse(first).media[0].port
        let offer = edited(
            first, without: ["a=rtcp-mux", "a=end-of"],
            with: ["a=candidate:1 2 udp 2130706430 127.0.0.1 \(port + 1) typ host", "a=end-of-candidates"])
        let answer = try await right.create(offer)
        let control = try SessionDescription.parse(answer).media[0].port + 1
        #expect(answer.contains(" 2 udp ") && answer.contains("127.0.0.1 \(control) typ host"))
        _ = try await left.update(.answer, answer, .browser)
        #expect(try await converse(left, right))
        let isUp = try await eventually {
            let (first, second) = (await left.loop.keyed(), await right.loop.keyed())
            return first.rtcp == true && second.rtcp == true
        }
        #expect(isUp)
        #expect(await left.loop.controlPath()?.port == control)
        #expect(await right.loop.controlPath()?.port == port + 1)
    }

    @Test("RELIABILITY V5: another certificate than the description's gives no keys, and the call's owner is told once")
    func wrongFingerprint() async throws {
        let (left, right) = (try RelaySide(ports: 45400...45449), try RelaySide(ports: 45450...45499))
        let other = (0..<32).map { _ in "5A" }.joined(separator: ":")
        let offer = edited(try await left.create(nil, .browser), without: ["a=fingerprint"], with: ["a=fingerprint:sha-256 \(other)"])
        let answer = try await right.create(offer)
        _ = try await left.update(.answer, answer, .browser)
        let isTold = try await eventually { !right.failures.reasons.isEmpty }
        #expect(isTold && right.failures.reasons == ["wrong_fingerprint"])
        #expect(await !right.loop.keyed().rtp)
        for _ in 0..<50 {
            left.speak()
            right.speak()
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(left.heard() == 0 && right.heard() == 0)
    }

    @Test("RFC 3261 §16.7: an offer for phones and one for browsers stand side by side; the answer decides", arguments: [MediaProfile.plain, .browser])
    func forked(profile: MediaProfile) async throws {
        let base: UInt16 = profile == .plain ? 45500 : 45600
        let (left, right) = (try RelaySide(ports: base...base + 49), try RelaySide(ports: base + 50...base + 99))
        let plain = try await left.create(nil)
        let browser = try #require(try await left.update(.makeOffer, "", .browser))
        let answer = try await right.create(profile == .plain ? plain : browser)
        _ = try await left.update(.answer, answer, profile)
        #expect(try await converse(left, right))
        #expect(await left.loop.keyed().rtp == (profile == .browser))
    }

    @Test("RFC 3264 §8: an offer in mid-call changes nothing until it is answered, and a refused one nothing at all")
    func refusedOffer() async throws {
        let (left, right) = (try RelaySide(ports: 45700...45749), try RelaySide(ports: 45750...45799))
        let offer = try await left.create(nil, .browser)
        _ = try await left.update(.answer, try await right.create(offer), .browser)
        #expect(try await converse(left, right))
        // Theirs is refused; the next one is theirs to make, and all is as it was.
        let plain = try #require(try await left.update(.makeOffer, "", .plain))
        #expect(plain.contains("RTP/AVP") && !plain.contains("fingerprint"))
        #expect(try await converse(left, right))
        let again = try #require(try await right.update(.makeOffer, ""))
        let answer = try #require(try await left.update(.offer, again))
        let before = try SessionDescription.parse(offer)
        let after = try SessionDescription.parse(answer)
        #expect(after.connectivity(ofMedia: 0)?.fragment == before.connectivity(ofMedia: 0)?.fragment)
        let refused = try SessionDescription.parse(plain)
        #expect(after.origin.version > refused.origin.version)
        _ = try await right.update(.answer, answer)
        #expect(try await converse(left, right))
        #expect(await left.loop.keyed().rtp)
        #expect(await right.loop.keyed().rtp)
    }

    @Test("Profiles with feedback and without ICE are answered as they are, and speak", arguments: ["RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"])
    func feedback(transport: String) async throws {
        let base: UInt16 = transport == "RTP/AVPF" ? 45800 : transport == "RTP/SAVPF" ? 45900 : 46000
        let (left, right) = (try RelaySide(ports: base...base + 49), try RelaySide(ports: base + 50...base + 99))
        let profile: MediaProfile = transport == "RTP/AVPF" ? .plain : transport == "RTP/SAVPF" ? .sdes : .browser
        let first = edited(try await left.create(nil, profile), without: ["a=ice", "a=candidate", "a=end-of"])
        let own = try SessionDescription.parse(first).media[0].transport
        // As seen by the other side; ours goes on calling it by its own name.
        let answer = try await right.create(first.replacingOccurrences(of: own, with: transport))
        #expect(try SessionDescription.parse(answer).media[0].transport == transport)
        _ = try await left.update(.answer, answer.replacingOccurrences(of: transport, with: own), profile)
        #expect(try await converse(left, right))
        #expect(await left.loop.keyed().rtp == (profile != .plain))
    }
}
