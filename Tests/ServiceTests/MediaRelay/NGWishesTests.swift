import Glibc
import NG
import SDP
import Testing

@testable import MediaRelay

/// A phone's socket that sees how its packets are marked (RFC 791 §3.1, RFC 2474).
private final class MarkedEar {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        let opened = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var (address, length, yes) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size), Int32(1))
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(opened, $0, length) == 0 && getsockname(opened, $0, &length) == 0 }
        }
        (descriptor, port) = (opened, UInt16(bigEndian: address.sin_port))
        try #require(opened >= 0 && bound && setsockopt(opened, Int32(IPPROTO_IP), IP_RECVTOS, &yes, socklen_t(4)) == 0)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8], to port: UInt16) -> Bool {
        var address = sockaddr_in()
        (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), port.bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == bytes.count
            }
        }
    }

    /// The octet of the next packet.
    func mark() async throws -> UInt8 {
        for _ in 0..<400 {
            if let octet = next() { return octet }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CancellationError()
    }

    private func next() -> UInt8? {
        var (payload, control) = ([UInt8](repeating: 0, count: 2048), [UInt8](repeating: 0, count: 64))
        return payload.withUnsafeMutableBytes { payload in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    (message.msg_iov, message.msg_iovlen) = (vector, 1)
                    (message.msg_control, message.msg_controllen) = (control.baseAddress, control.count)
                    guard recvmsg(descriptor, &message, Int32(MSG_DONTWAIT)) > 0, message.msg_controllen >= 17 else { return nil }
                    // One header of sixteen octets, and the octet.
                    return control[16]
                }
            }
        }
    }
}

@Suite("MediaRelay: what offers over ng wish for")
struct NGWishesTests {
    private let to: [String: Value] = ["to-tag": .text("b")]

    private static func sdp(_ port: UInt16, _ media: [String] = [], transport: String = "RTP/AVP", lines: [String] = []) -> String {
        (["v=0", "o=bob 7 3 IN IP4 192.0.2.9", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(port) \(transport) 0"] + lines + media)
            .map { $0 + "\r\n" }.joined()
    }

    private static let fax = "v=0\r\no=bob 7 4 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"

    private func packet(_ sequence: UInt8, ssrc: UInt8 = 1) -> [UInt8] {
        [0x80, 0, 0, sequence, 0, 0, sequence, 0, 0, 0, 0, ssrc] + [UInt8](repeating: 0x55, count: 160)
    }

    @Test("RFC 2474, TOS: an offer marks the packets of both sides, -1 leaves the mark, none and too much give the relay's own back")
    func marks() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try MarkedEar(), try MarkedEar())
        func exchange(_ wish: [String: Value]) async throws -> [UInt8] {
            let offer = try await relay.describe("offer", Self.sdp(caller.port), to.merging(wish) { $1 })
            let answer = try await relay.describe("answer", Self.sdp(callee.port), to)
            try #require(caller.send(packet(1, ssrc: 3), to: answer.media[0].port) && callee.send(packet(1, ssrc: 4), to: offer.media[0].port))
            return [try await callee.mark(), try await caller.mark()]
        }
        #expect(try await exchange(["TOS": .integer(Int64(136))]) == [136, 136])
        #expect(try await exchange(["TOS": .integer(Int64(-1))]) == [136, 136])
        #expect(try await exchange(["flags": .texts(["TOS=104"])]) == [104, 104])
        #expect(try await exchange(["TOS": .integer(Int64(256))]) == [184, 184])
        #expect(try await exchange(["TOS": .integer(Int64(7))]) == [4, 4], "what is said of congestion is not ours to say (RFC 3168 §5)")
        #expect(try await exchange([:]) == [184, 184])
    }

    @Test("RFC 3264 §6, T.38: a fax line is refused in its place, alone or beside sound, whatever T.38 flag asks for")
    func fax() async throws {
        for flag in [[:], ["T.38": .texts(["decode"])], ["flags": .texts(["T.38=force"])]] as [[String: Value]] {
            let relay = try NGRelay()
            let caller = try Ear()
            let alone = try await relay.describe("offer", Self.fax, flag.merging(["call-id": .text("fax")]) { $1 })
            #expect(alone.media.count == 1 && alone.media[0].kind == "image" && alone.media[0].port == 0)
            let beside = try await relay.describe("offer", Self.sdp(caller.port, ["m=image 4000 udptl t38"]), flag)
            #expect(beside.media[0].kind == "audio" && beside.media[0].port != 0 && beside.media[0].formats == ["0"])
            #expect(beside.media[1].kind == "image" && beside.media[1].port == 0 && beside.media[1].transport == "udptl")
        }
    }

    @Test("RFC 3264 §8: sound goes on when a change to fax is refused, and ends when it is accepted without it")
    func faxRefused() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", Self.sdp(caller.port))
        let answer = try await relay.describe("answer", Self.sdp(callee.port), to)
        _ = try await relay.describe("offer", Self.fax, to)
        // 488 Not Acceptable Here: nobody asks the relay anything.
        caller.send(packet(1), to: answer.media[0].port)
        #expect(try await callee.hears() == packet(1))
        let again = try await relay.describe("offer", Self.sdp(caller.port), to)
        let answered = try await relay.describe("answer", Self.sdp(callee.port), to)
        #expect(again.media[0].port == offer.media[0].port && answered.media[0].port == answer.media[0].port)
        callee.send(packet(2, ssrc: 9), to: again.media[0].port)
        #expect(try await caller.hears() == packet(2, ssrc: 9))
        _ = try await relay.describe("offer", Self.fax, to)
        _ = try await relay.describe("answer", Self.fax.replacing("4000", with: "0"), to)
        let left = await relay.loop.occupancy.count
        #expect(left == 0, "its ports are free")
    }

    @Test("loop-protect: a description that this relay has written comes back as it is, and takes no ports")
    func loops() async throws {
        let relay = try NGRelay()
        let flags: [String: Value] = ["flags": .texts(["loop-protect"])]
        let offer = try await relay.describe("offer", Self.sdp(4000), flags)
        #expect(offer.attributes.first(named: "rtpengine") == "here")
        let before = await relay.loop.occupancy.count
        let text = String(decoding: offer.bytes, as: UTF8.self)
        let again = try await relay.ask("offer", flags.merging(["call-id": .text("d"), "sdp": .text(text)]) { $1 })
        #expect(again["sdp"] == .text(text))
        let after = await relay.loop.occupancy.count
        #expect(after == before && before == 2)
        let other = try await relay.describe("offer", text.replacing("rtpengine:here", with: "rtpengine:there"), flags.merging(["call-id": .text("e")]) { $1 })
        #expect(other.media[0].port != offer.media[0].port && other.attributes.count { $0.name == "rtpengine" } == 2)
        #expect(try await relay.describe("offer", Self.sdp(4000), ["call-id": .text("f")]).attributes.first(named: "rtpengine") == nil)
    }

    @Test("drop-traffic: nothing passes between start and stop")
    func drops() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        _ = try await relay.describe("offer", Self.sdp(caller.port), ["drop-traffic": .text("start")])
        let answer = try await relay.describe("answer", Self.sdp(callee.port), to)
        caller.send(packet(1), to: answer.media[0].port)
        #expect(try await callee.hearsNothing())
        _ = try await relay.describe("offer", Self.sdp(caller.port), to.merging(["drop-traffic": .text("stop")]) { $1 })
        caller.send(packet(2), to: answer.media[0].port)
        #expect(try await callee.hears() == packet(2))
    }

    @Test("RFC 8445 §2.5, ICE-lite: forward is said to the answerer, backward to the offerer, off to nobody")
    func lite() async throws {
        let candidates = [
            "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host",
        ]
        for (wish, isLite) in [("forward", (true, true)), ("off", (false, false)), ("both", (true, true))] as [(String, (Bool, Bool))] {
            let relay = try NGRelay()
            let offer = try await relay.describe("offer", Self.sdp(4000, lines: candidates), ["ICE-lite": .text(wish)])
            let answer = try await relay.describe("answer", Self.sdp(4002, lines: candidates), to)
            #expect(offer.attributes.contains(named: "ice-lite") == isLite.0, "\(wish)")
            // Without a word we are what TANDEM_ICE says: lite.
            #expect(answer.attributes.contains(named: "ice-lite") == isLite.1, "\(wish)")
        }
    }

    @Test("reset: the answerer may be somebody else, and is offered other credentials and keys")
    func reset() async throws {
        let relay = try NGRelay()
        let wish: [String: Value] = ["transport-protocol": .text("RTP/SAVP"), "DTLS": .text("off"), "ICE": .text("force")]
        let first = try await relay.describe("offer", Self.sdp(4000), wish)
        let same = try await relay.describe("offer", Self.sdp(4000), wish)
        let other = try await relay.describe("offer", Self.sdp(4000), wish.merging(["flags": .texts(["reset"])]) { $1 })
        func told(_ description: SessionDescription) -> [String?] {
            [description.media[0].crypto.first, description.media[0].attributes.first(named: "ice-ufrag")]
        }
        #expect(told(first) == told(same) && told(first)[0] != nil && told(first)[1] != nil)
        #expect(told(other)[0] != told(first)[0] && told(other)[1] != told(first)[1])
        #expect(other.media[0].port == first.media[0].port)
    }

    @Test("RFC 5763 §5, DTLS-reverse: who offers actpass is answered the role that was asked for")
    func roles() async throws {
        let fingerprint = "a=fingerprint:sha-256 " + (0..<32).map { _ in "AB" }.joined(separator: ":")
        for (wish, setup) in [("active", "active"), ("passive", "passive")] {
            let relay = try NGRelay()
            let lines = [fingerprint, "a=setup:actpass", "a=rtcp-mux"]
            _ = try await relay.describe(
                "offer", Self.sdp(4000, transport: "UDP/TLS/RTP/SAVP", lines: lines),
                ["DTLS-reverse": .text(wish), "transport-protocol": .text("RTP/AVP")])
            let answer = try await relay.describe("answer", Self.sdp(4002), to)
            #expect(answer.media[0].attributes.first(named: "setup") == setup)
        }
    }

    @Test("RFC 8829 §5.3.1: an offerer that names its lines finds the names in the answer of a phone that knows none, refused lines included")
    func names() async throws {
        let relay = try NGRelay()
        let offer = Self.sdp(4000, ["a=mid:sound", "m=image 4002 udptl t38", "a=mid:fax"])
        _ = try await relay.describe("offer", offer)
        let answer = try await relay.describe("answer", Self.sdp(4004, ["m=image 0 udptl t38"]), to)
        #expect(answer.media.map(\.mid) == ["sound", "fax"])
    }

    @Test("single-codec: the offerer is told one sound and what goes with it")
    func singleCodec() async throws {
        let relay = try NGRelay()
        let events = ["a=rtpmap:101 telephone-event/8000"]
        let both = { (port: UInt16) in Self.sdp(port, lines: events).replacing("RTP/AVP 0", with: "RTP/AVP 8 0 101") }
        _ = try await relay.describe("offer", both(4000))
        let answer = try await relay.describe("answer", both(4002), to.merging(["flags": .texts(["single-codec"])]) { $1 })
        #expect(answer.media[0].formats == ["8", "101"])
    }
}
