import Contracts
import Cryptography
import DTLS
import Deadlines
import FoundationEssentials
import MediaSession
import SDP
import SRTP
import Testing

@testable import MediaRelay

private let endpoint = Endpoint(.make(now: 1_700_000_000))
private let digest = (0..<32).map { _ in "5A" }.joined(separator: ":")
private let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

private func loop() throws -> MediaLoop {
    let settings = RelaySettings(
        inside: .loopbackIPv4, media: .loopbackIPv4, ports: 44200...44299, threads: 1, sessionLimit: 10, timeout: .seconds(60))
    let events = SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in })
    let loop = try MediaLoop(
        index: 0, settings: settings, security: Security(endpoint), occupancy: Occupancy(limit: 10) { _ in }, events: events)
    loop.start()
    return loop
}

private func description(_ transport: String, _ attributes: [String], version: Int = 1, formats: String = "0 8") -> String {
    (["v=0", "o=- 1 \(version) IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 \(transport) \(formats)"] + attributes)
        .map { $0 + "\r\n" }.joined()
}

private let browser = [
    "a=rtcp-mux", "a=mid:0", "a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y", "a=ice-options:trickle",
    "a=fingerprint:sha-256 \(digest)", "a=setup:actpass", "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000", "a=candidate:1 1 udp 2122260223 127.0.0.1 46243 typ host generation 0",
]

private func create(_ loop: MediaLoop, _ offer: String?) async throws -> SessionDescription {
    let reply = try await loop.create(
        CreateMediaSession(sessionID: "s", customerID: "c", callID: "c", owner: "CallServer-1", epoch: 1, offer: offer))
    return try SessionDescription.parse(reply.description)
}

private func update(
    _ loop: MediaLoop, _ kind: UpdateMediaSession.Kind, _ remote: String, _ profile: MediaProfile? = nil
) async throws -> SessionDescription? {
    let reply = try await loop.update(UpdateMediaSession(sessionID: "s", epoch: 1, kind: kind, remote: remote, profile: profile))
    return try reply.description.map { try SessionDescription.parse($0) }
}

@Suite("MediaRelay: protected sessions")
struct SecureSessionTests {
    @Test("RFC 8829, RFC 8445 §2.5: a browser is answered with a fingerprint, passive, ICE-lite and one host candidate")
    func browserOffer() async throws {
        let loop = try loop()
        defer { loop.loop.stop() }
        let answer = try await create(loop, description("UDP/TLS/RTP/SAVPF", browser, formats: "111 0 8 110 126"))
        let media = answer.media[0]
        #expect(media.transport == "UDP/TLS/RTP/SAVPF" && media.formats == ["0", "8", "126"])
        #expect(answer.attributes.contains { $0.name == "ice-lite" })
        #expect(media.attributes.contains { $0.name == "setup" && $0.value == "passive" })
        let ours = endpoint.certificate.fingerprint
        let shown = media.attributes.first { $0.name == "fingerprint" }.flatMap { SDP.Fingerprint($0.value ?? "") }
        #expect(shown?.digest == ours.hash)
        #expect(media.attributes.contains { $0.name == "candidate" && $0.value?.contains(" 127.0.0.1 \(media.port) typ host") == true })
        #expect(media.attributes.contains { $0.name == "rtcp-mux" } && media.attributes.contains { $0.name == "mid" })
        // The next offer is ours, and under the same protection.
        let again = try #require(try await update(loop, .makeOffer, ""))
        #expect(again.media[0].transport == "UDP/TLS/RTP/SAVPF" && again.media[0].attributes.contains { $0.name == "ice-ufrag" })
    }

    @Test("RFC 4568 §5.1.2: keys are answered under the offered tag with fresh ones, and stay when they are offered again")
    func keys() async throws {
        let loop = try loop()
        defer { loop.loop.stop() }
        let lines = ["a=crypto:3 UNKNOWN_SUITE inline:abc", "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:\(key)"]
        let answer = try await create(loop, description("RTP/SAVP", lines))
        let ours = try #require(answer.media[0].attributes.first { $0.name == "crypto" }?.value)
        #expect(ours.hasPrefix("7 AES_CM_128_HMAC_SHA1_80 inline:") && !ours.contains(key))
        let again = try #require(try await update(loop, .offer, description("RTP/SAVP", lines, version: 2)))
        #expect(again.media[0].attributes.first { $0.name == "crypto" }?.value == ours)
    }

    @Test("An offer of ours is for a browser when it is asked for so")
    func offerToBrowser() async throws {
        let loop = try loop()
        defer { loop.loop.stop() }
        _ = try await create(loop, nil)
        let offer = try #require(try await update(loop, .makeOffer, "", .browser))
        #expect(offer.media.count == 1 && offer.media[0].transport == "UDP/TLS/RTP/SAVPF")
        #expect(offer.media[0].attributes.contains { $0.name == "setup" && $0.value == "actpass" })
        let answer = description(
            "UDP/TLS/RTP/SAVPF", browser.map { $0 == "a=setup:actpass" ? "a=setup:active" : $0 }, formats: "0 126")
        _ = try await update(loop, .answer, answer)
    }

    @Test("RELIABILITY T2: what lies in Redis shows no key and no password, and opens for whoever has the cluster's key only")
    func sealed() async throws {
        let loop = try loop()
        defer { loop.loop.stop() }
        let lines = ["a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:\(key)"]
        let answer = try await create(loop, description("RTP/SAVP", lines))
        let record = try #require(await loop.records.first)
        let cluster = [UInt8](repeating: 7, count: 32)
        let stored = try StoredSession(record, key: cluster, nonce: [UInt8](repeating: 1, count: 12))
        let text = String(decoding: try JSONEncoder().encode(stored), as: UTF8.self)
        let ours = try #require(answer.media[0].attributes.first { $0.name == "crypto" }?.value?.split(separator: ":").last)
        #expect(!text.contains(ours) && !text.contains(key) && text.contains(record.callID))
        #expect(try stored.exchange(key: cluster) == record.exchange)
        #expect(throws: SealError.self) { try stored.exchange(key: [UInt8](repeating: 8, count: 32)) }
    }

    @Test("RELIABILITY V5: protection without a key or fingerprint is refused", arguments: ["RTP/SAVP", "UDP/TLS/RTP/SAVPF"])
    func withoutKeys(transport: String) async throws {
        let loop = try loop()
        defer { loop.loop.stop() }
        await #expect(throws: RPCError.self) { try await create(loop, description(transport, ["a=rtcp-mux"])) }
    }
}
