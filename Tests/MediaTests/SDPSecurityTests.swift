import Addresses
import Foundation
import SDP
import Testing

private let address = SocketAddress(IPAddress(v4: 0xc000_0263), port: 30000)
private let theirDigest = (0..<32).map { String(format: "%02X", $0) }.joined(separator: ":")
private let ourFingerprint = Fingerprint("SHA-256 " + (0..<32).map { String(format: "%02x", 255 - $0) }.joined(separator: ":"))

private func offer(_ lines: [String], session: [String] = []) throws -> SessionDescription {
    let head = ["v=0", "o=- 5 5 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    return try .parse((head + session + lines).map { $0 + "\r\n" }.joined())
}

private func side(
    _ kinds: [SecurityKind], crypto: [String] = [], opportunistic: Bool = false, transports: [String] = []
) throws -> OfferAnswer {
    let fingerprint = try #require(ourFingerprint)
    let security = LocalSecurity(kinds: kinds, crypto: crypto, fingerprints: [fingerprint], isOpportunistic: opportunistic)
    return OfferAnswer(sessionID: 7, local: LocalMedia(address: address, transports: transports, security: security))
}

private let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
private let otherKey = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

@Suite("SDP: keys in the description and on the path")
struct SDPSecurityTests {
    @Test(
        "RFC 3264 §6: the profile offered is the profile answered",
        arguments: [
            ("RTP/AVP", SecurityKind.none, []), ("RTP/AVPF", .none, []),
            ("RTP/SAVP", .sdes, ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 \(key)"]),
            ("RTP/SAVPF", .sdes, ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 \(key)"]),
            ("UDP/TLS/RTP/SAVP", .dtls, ["a=fingerprint:sha-256 \(theirDigest)", "a=setup:actpass"]),
            ("UDP/TLS/RTP/SAVPF", .dtls, ["a=fingerprint:sha-256 \(theirDigest)", "a=setup:actpass"]),
            // What browsers wrote before RFC 8842.
            ("RTP/SAVPF", .dtls, ["a=fingerprint:sha-256 \(theirDigest)", "a=setup:actpass"]),
        ])
    func profiles(transport: String, kind: SecurityKind, lines: [String]) throws {
        var side = try side(SecurityKind.allCases, crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        let answer = try side.answer(offer(["m=audio 4000 \(transport) 0"] + lines))
        #expect(answer.media[0].transport == transport && side.agreement?.security.kind == kind)
        let count = [answer.media[0].attributes.contains(named: "crypto"), answer.media[0].attributes.contains(named: "fingerprint")]
        #expect(count == [kind == .sdes, kind == .dtls])
    }

    @Test("exactly one kind a stream: of several offered, the one preferred here")
    func oneKind() throws {
        let both = try offer([
            "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \(key)", "a=fingerprint:sha-256 \(theirDigest)", "a=setup:active",
        ])
        var first = try side([.dtls, .sdes], crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        var second = try side([.sdes, .dtls], crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        #expect(try !first.answer(both).media[0].attributes.contains(named: "crypto") && first.agreement?.security.kind == .dtls)
        #expect(try !second.answer(both).media[0].attributes.contains(named: "fingerprint") && second.agreement?.security.kind == .sdes)
    }

    @Test("RFC 4568 §5.1.2: tag and suite of an offered line are repeated, with a key of ours")
    func crypto() throws {
        let offer = try offer([
            "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AEAD_AES_256_GCM inline:x", "a=crypto:2 AES_CM_128_HMAC_SHA1_80 \(key)|2^31",
        ])
        var side = try side([.sdes])
        let prospect = try side.prospect(of: offer)
        #expect(prospect.kind == .sdes && prospect.crypto.count == 2 && prospect.index == 0)
        side.local.security?.crypto = ["2 AES_CM_128_HMAC_SHA1_80 \(otherKey)"]
        let answer = try side.answer(offer)
        #expect(answer.media[0].crypto == ["2 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        #expect(
            side.agreement?.security
                == .sdes(local: "2 AES_CM_128_HMAC_SHA1_80 \(otherKey)", remote: "2 AES_CM_128_HMAC_SHA1_80 \(key)|2^31"))
        side.local.security?.crypto = ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"]
        #expect(throws: OfferAnswer.Refusal.noCommonSecurity) { try side.answer(offer) }
    }

    @Test("RFC 8643: keys under a plain profile are taken where that is asked for, and only there")
    func opportunistic() throws {
        let offer = try offer(["m=audio 4000 RTP/AVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \(key)"])
        var willing = try side([.sdes, .none], crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"], opportunistic: true)
        let answer = try willing.answer(offer)
        #expect(answer.media[0].transport == "RTP/AVP" && answer.media[0].crypto.count == 1 && willing.agreement?.security.kind == .sdes)
        var plain = try side([.sdes, .none], crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        #expect(try plain.answer(offer).media[0].crypto.isEmpty && plain.agreement?.security == AgreedSecurity.none)
    }

    @Test(
        "RFC 5763 §5, RFC 4145 §4: the answer's role for every offered one",
        arguments: [("actpass", "passive"), ("active", "passive"), ("passive", "active"), (nil, "passive")] as [(String?, String)])
    func setup(offered: String?, answered: String) throws {
        var side = try side([.dtls])
        let setup = offered.map { ["a=setup:\($0)"] } ?? []
        let answer = try side.answer(offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0", "a=fingerprint:sha-256 \(theirDigest)"] + setup))
        #expect(answer.setup(ofMedia: 0)?.rawValue == answered && answer.fingerprints(ofMedia: 0) == [ourFingerprint])
        guard case .dtls(let terms)? = side.agreement?.security else { return #expect(Bool(false), "no handshake was agreed on") }
        #expect(terms.isClient == (answered == "active") && terms.fingerprints == [Fingerprint("sha-256 \(theirDigest)")])
    }

    @Test("RFC 8842 §5.3: in an association that goes on, who began stays who began")
    func roleStays() throws {
        var side = try side([.dtls])
        func line(_ setup: String, _ digest: String = theirDigest) throws -> SessionDescription {
            try offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0", "a=fingerprint:sha-256 \(digest)", "a=setup:\(setup)"])
        }
        #expect(try side.answer(line("passive")).setup(ofMedia: 0) == .active)
        #expect(try side.answer(line("actpass")).setup(ofMedia: 0) == .active)
        let changed = String(theirDigest.reversed().map { $0 })
        #expect(try side.answer(line("actpass", changed)).setup(ofMedia: 0) == .passive)
        let next = side.offer()
        #expect(next.setup(ofMedia: 0) == .either && next.media[0].transport == "UDP/TLS/RTP/SAVP")
    }

    @Test("an offer of keys, and what may answer it")
    func offeringKeys() throws {
        let lines = ["1 AEAD_AES_128_GCM inline:a", "2 AES_CM_128_HMAC_SHA1_80 \(otherKey)"]
        var side = try side([.sdes], crypto: lines)
        let ours = side.offer()
        #expect(ours.media[0].transport == "RTP/SAVP" && ours.media[0].crypto == lines)
        #expect(throws: OfferAnswer.Refusal.malformed) { try side.accept(offer(["m=audio 4000 RTP/SAVP 0"])) }
        #expect(throws: OfferAnswer.Refusal.noAudio) { try side.accept(offer(["m=audio 4000 RTP/AVP 0"])) }
        let strange = try offer(["m=audio 4000 RTP/SAVP 0", "a=crypto:3 AES_CM_128_HMAC_SHA1_80 \(key)"])
        #expect(throws: OfferAnswer.Refusal.noCommonSecurity) { try side.accept(strange) }
        let good = try side.accept(offer(["m=audio 4000 RTP/SAVP 0", "a=crypto:2 AES_CM_128_HMAC_SHA1_80 \(key)"]))
        #expect(good.security == .sdes(local: lines[1], remote: "2 AES_CM_128_HMAC_SHA1_80 \(key)"))
    }

    @Test("RFC 5763 §5: an offer of a handshake, and what may answer it")
    func offeringHandshake() throws {
        var side = try side([.dtls])
        let ours = side.offer()
        #expect(ours.media[0].transport == "UDP/TLS/RTP/SAVP" && ours.setup(ofMedia: 0) == .either)
        func answer(_ lines: String...) throws -> SessionDescription { try offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0"] + lines) }
        let fingerprint = "a=fingerprint:sha-256 \(theirDigest)"
        for (description, refusal) in try [
            (answer("a=setup:active"), OfferAnswer.Refusal.malformed), (answer(fingerprint), .malformed),
            (answer(fingerprint, "a=setup:actpass"), .malformed), (answer(fingerprint, "a=setup:holdconn"), .noCommonSecurity),
            (answer("a=fingerprint:sha-256 00:11", "a=setup:active"), .malformed),
        ] {
            #expect(throws: refusal) { try side.accept(description) }
        }
        let agreed = try side.accept(answer(fingerprint, "a=setup:passive"))
        guard case .dtls(let terms) = agreed.security else { return #expect(Bool(false), "no handshake was agreed on") }
        #expect(terms.isClient)
    }

    @Test("fingerprint, setup and credentials of the session are those of its media (RFC 8122 §5, RFC 8839 §5.4)")
    func inherited() throws {
        var side = try side([.dtls])
        side.local.ice = Connectivity(
            fragment: "ours", password: "ourpasswordourpassword00", candidates: ["1 1 udp 1 192.0.2.99 30000 typ host"])
        let session = [
            "a=fingerprint:sha-256 \(theirDigest)", "a=setup:passive", "a=ice-ufrag:them", "a=ice-pwd:theirpasswordtheirpass", "a=ice-lite",
            "a=ice-options:ice2",
        ]
        let answer = try side.answer(offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0"], session: session))
        #expect(answer.setup(ofMedia: 0) == .active)
        let ice = try #require(side.agreement?.ice)
        #expect(ice.fragment == "them" && ice.isLite && ice.options == ["ice2"])
        // The media's own come before them.
        let own = try offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0", "a=setup:active"], session: session)
        #expect(try side.answer(own).setup(ofMedia: 0) == .passive)
    }

    @Test(
        "an invalid description is refused, never half believed",
        arguments: [
            (["m=audio 4000 RTP/SAVP 0"], OfferAnswer.Refusal.malformed),
            (["m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80"], .malformed),
            (["m=audio 4000 RTP/SAVP 0", "a=crypto:x AES_CM_128_HMAC_SHA1_80 \(key)"], .malformed),
            (["m=audio 4000 RTP/SAVP 0", "a=crypto:1234567890 AES_CM_128_HMAC_SHA1_80 \(key)"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=setup:actpass"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 00:11", "a=setup:actpass"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:md5 \(theirDigest.prefix(47))", "a=setup:actpass"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 \(theirDigest)", "a=setup:both"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 \(theirDigest)", "a=setup:holdconn"], .noCommonSecurity),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 \(theirDigest)", "a=ice-ufrag:abc", "a=ice-pwd:short"], .malformed),
            (["m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 \(theirDigest)", "a=ice-ufrag:abcd"], .malformed),
            (["m=audio 4000 RTP/AVP 0", "a=mid:1", "m=video 4002 RTP/AVP 31", "a=mid:1"], .malformed),
            (["m=audio 4000 TCP/RTP/AVP 0"], .noAudio), (["m=audio 4000 RTP/AVPX 0"], .noAudio), (["m=audio 0 RTP/AVP 0"], .noAudio),
            (["m=audio 0 RTP/AVP 0", "a=bundle-only"], .noAudio), (["m=audio 4000 RTP/AVP 255"], .noCommonCodec),
            (["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/0/2"], .noCommonCodec), (["m=audio 4000 RTP/AVP", "a=x"], .noAudio),
        ])
    func invalid(lines: [String], refusal: OfferAnswer.Refusal) throws {
        var side = try side(SecurityKind.allCases, crypto: ["1 AES_CM_128_HMAC_SHA1_80 \(otherKey)"])
        let before = side
        guard let description = try? offer(lines) else { return #expect(lines == ["m=audio 4000 RTP/AVP", "a=x"]) }
        #expect(throws: refusal) { try side.answer(description) }
        #expect(side == before)
    }

    @Test("who asks for protection gets none without it, and who wants none is not forced")
    func noDowngrade() throws {
        var strict = try side([.dtls, .sdes])
        #expect(throws: OfferAnswer.Refusal.noAudio) { try strict.answer(offer(["m=audio 4000 RTP/AVP 0"])) }
        var keys = try side([.sdes])
        let handshake = try offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0", "a=fingerprint:sha-256 \(theirDigest)"])
        #expect(throws: OfferAnswer.Refusal.noCommonSecurity) { try keys.answer(handshake) }
        // The second line is plain, and this side takes that.
        var either = try side([.sdes, .none])
        let two = try offer(["m=audio 4000 UDP/TLS/RTP/SAVP 0", "a=fingerprint:sha-256 \(theirDigest)", "m=audio 4002 RTP/AVP 0"])
        #expect(try either.answer(two).media.map(\.port) == [0, 30000])
    }

    @Test(
        "RFC 8122 §5: a fingerprint is read in any case and written in upper case",
        arguments: [("sha-1", 20), ("SHA-256", 32), ("sha-512", 64)])
    func fingerprints(algorithm: String, count: Int) throws {
        let text = (0..<count).map { String(format: "%02x", $0 &* 7 & 255) }.joined(separator: ":")
        let read = try #require(Fingerprint("\(algorithm) \(text)"))
        #expect(read.description == "\(algorithm.lowercased()) \(text.uppercased())")
        #expect(Fingerprint(read.description) == read)
        for bad in ["", " \(text):00", " \(text.dropLast())", " \(text.dropLast(3))", " \(text) x"] {
            #expect(Fingerprint(algorithm + bad) == nil, "\(bad)")
        }
    }

    @Test("what a snapshot of an earlier version does not have is as it was meant")
    func earlierSnapshot() throws {
        let text = #"{"address":"127.0.0.1:1","codecs":[],"packetTime":20,"transports":["RTP/AVP"]}"#
        let media = try JSONDecoder().decode(LocalMedia.self, from: Data(text.utf8))
        #expect(media == LocalMedia(address: SocketAddress(.loopbackIPv4, port: 1), codecs: []))
        let agreement = #"{"remote":"127.0.0.1:1","remoteControl":"127.0.0.1:2","direction":"sendrecv","formats":[],"packetTime":20}"#
        #expect(try JSONDecoder().decode(Agreement.self, from: Data(agreement.utf8)).security == AgreedSecurity.none)
    }
}
