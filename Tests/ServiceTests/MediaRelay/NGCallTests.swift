import Addresses
import Deadlines
import MediaSession
import NG
import RTP
import SDP
import SRTP
import Testing

@testable import MediaRelay

private func sdp(_ port: UInt16, _ transport: String = "RTP/AVP", formats: String = "0 8 96", lines: [String] = []) -> String {
    (["v=0", "o=bob 7 3 IN IP4 192.0.2.9", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(port) \(transport) \(formats)",
        "a=rtpmap:96 AMR/8000", "a=fmtp:96 octet-align=1", "a=x-kept:1"] + lines).map { $0 + "\r\n" }.joined()
}

private func packet(_ sequence: UInt16, payloadType: UInt8 = 96, ssrc: UInt32 = 5) -> [UInt8] {
    var bytes: [UInt8] = []
    Header(
        payloadType: PayloadType(payloadType), sequence: SequenceNumber(sequence), timestamp: Timestamp(UInt32(sequence) * 160),
        ssrc: SSRC(ssrc)).append(to: &bytes)
    return bytes + (0..<31).map { UInt8(truncatingIfNeeded: Int(sequence) + $0) }
}

@Suite("MediaRelay: calls over ng")
struct NGCallTests {
    private let to: [String: Value] = ["to-tag": .text("b")]

    @Test("RFC 3264: codecs, numbers and lines of others stay; addresses and ports are ours; packets pass unchanged both ways")
    func plain() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", sdp(caller.port), ["replace": .texts(["origin"])])
        #expect(offer.media[0].formats == ["0", "8", "96"] && offer.media[0].attributes.contains(named: "x-kept"))
        #expect(offer.media[0].port != caller.port && offer.origin.address == "127.0.0.1" && offer.origin.sessionID == "7")
        let answer = try await relay.describe("answer", sdp(callee.port, formats: "96"), to)
        caller.send(packet(1), to: answer.media[0].port)
        #expect(try await callee.hears() == packet(1))
        callee.send(packet(900, ssrc: 9), to: offer.media[0].port)
        #expect(try await caller.hears() == packet(900, ssrc: 9))
        let deleted = try await relay.ask("delete", to)
        #expect(deleted["totals"]?["RTP"]?["packets"] == .integer(Int64(2)) && deleted["result"] == .text("ok"))
        let left = await relay.loop.occupancy.count
        #expect(left == 0)
        let again = try await relay.ask("delete", to)
        #expect(again["result"] == .text("ok") && again["warning"] != nil)
        let fatal = try await relay.ask("delete", ["flags": .texts(["fatal"])])
        #expect(fatal["result"] == .text("error"))
    }

    @Test("RFC 4568: one side in clear, the other with keys in its description: what is sent in clear comes protected, and back")
    func protected() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe(
            "offer", sdp(caller.port), ["transport protocol": .text("RTP/SAVP"), "DTLS": .text("off")])
        #expect(offer.media[0].transport == "RTP/SAVP" && offer.fingerprints(ofMedia: 0).isEmpty)
        let line = try CryptoAttribute(parsing: try #require(offer.media[0].crypto.first))
        let own = try #require(CryptoAttribute(tag: line.tag, line.suite, random: Array(0..<30)))
        let answer = try await relay.describe("answer", sdp(callee.port, "RTP/SAVP", lines: ["a=crypto:\(own)"]), to)
        #expect(answer.media[0].transport == "RTP/AVP" && answer.media[0].crypto.isEmpty)
        var keys = Context(sending: try #require(own.key), receiving: try #require(line.key))
        caller.send(packet(1), to: answer.media[0].port)
        var heard = try await callee.hears()
        #expect(heard.count == packet(1).count + 10)
        let count = heard.count
        var span = heard.mutableSpan
        let length = try keys.unprotect(&span, count: count)
        #expect(Array(heard.prefix(length)) == packet(1))
        var sealed = packet(77, ssrc: 9) + [UInt8](repeating: 0, count: 10)
        let clear = sealed.count - 10
        var room = sealed.mutableSpan
        _ = try keys.protect(&room, count: clear)
        callee.send(sealed, to: offer.media[0].port)
        #expect(try await caller.hears() == packet(77, ssrc: 9))
        // Under a wrong tag nothing passes (RELIABILITY V2).
        sealed[20] ^= 1
        callee.send(sealed, to: offer.media[0].port)
        #expect(try await caller.hearsNothing())
    }

    @Test("RFC 3711 §3.3.1: a source that begins its numbers anew goes on under keys, one after the other")
    func restart() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", sdp(caller.port), ["transport protocol": .text("RTP/SAVP"), "DTLS": .text("off")])
        let line = try CryptoAttribute(parsing: try #require(offer.media[0].crypto.first))
        let own = try #require(CryptoAttribute(tag: line.tag, line.suite, random: Array(0..<30)))
        let answer = try await relay.describe("answer", sdp(callee.port, "RTP/SAVP", lines: ["a=crypto:\(own)"]), to)
        var keys = Context(sending: try #require(own.key), receiving: try #require(line.key))
        var sequences: [UInt16] = []
        for sequence in [40_000, 40_001, 20, 21] as [UInt16] {
            caller.send(packet(sequence), to: answer.media[0].port)
            var heard = try await callee.hears()
            let count = heard.count
            var span = heard.mutableSpan
            _ = try keys.unprotect(&span, count: count)
            sequences.append(try Header(parsing: heard.span).sequence.value)
        }
        #expect(sequences == [40_000, 40_001, 40_002, 40_003])
    }

    @Test("RFC 3264 §6, §8: refused lines stay in their place; a new offer of the other side keeps the ports; hold is passed on")
    func again() async throws {
        let relay = try NGRelay()
        let (caller, callee) = (try Ear(), try Ear())
        let image = "m=image 9 udptl t38\r\n"
        let offer = try await relay.describe("offer", sdp(caller.port) + image)
        #expect(offer.media[1].port == 0 && offer.media[1].formats == ["t38"])
        let answer = try await relay.describe("answer", sdp(callee.port) + "m=image 0 udptl t38\r\n", to)
        let back: [String: Value] = ["from-tag": .text("b"), "to-tag": .text("a")]
        let second = try await relay.describe("offer", sdp(callee.port, lines: ["a=sendonly"]) + image, back)
        #expect(second.media[0].port == answer.media[0].port && second.direction(ofMedia: 0) == .sendOnly)
        let reply = try await relay.describe("answer", sdp(caller.port, lines: ["a=recvonly"]) + "m=image 0 udptl t38\r\n", back)
        #expect(reply.media[0].port == offer.media[0].port && reply.direction(ofMedia: 0) == .receiveOnly)
        caller.send(packet(5), to: second.media[0].port)
        #expect(try await callee.hearsNothing())
        callee.send(packet(6, ssrc: 9), to: reply.media[0].port)
        #expect(try await caller.hears() == packet(6, ssrc: 9))
    }

    @Test("RFC 3261 §13.2.2.4: of several answers to one offer the last one counts")
    func forked() async throws {
        let relay = try NGRelay()
        let (caller, first, second) = (try Ear(), try Ear(), try Ear())
        _ = try await relay.describe("offer", sdp(caller.port))
        _ = try await relay.describe("answer", sdp(first.port), to)
        let answer = try await relay.describe("answer", sdp(second.port), ["to-tag": .text("c")])
        caller.send(packet(1), to: answer.media[0].port)
        #expect(try await second.hears() == packet(1))
        #expect(try await first.hearsNothing())
    }

    @Test("Broken descriptions, strange calls and too many of them are errors, and leave nothing behind")
    func refused() async throws {
        let relay = try NGRelay(sessionLimit: 2)
        let broken: [String] = ["", "v=0", sdp(9).replacing("c=IN IP4 127.0.0.1", with: "c=IN IP4 nowhere.example")]
        for text in broken where !text.isEmpty {
            let reply = try await relay.ask("offer", ["sdp": .text(text)])
            #expect(reply["result"] == .text("error") && reply["error-reason"] != nil)
        }
        #expect(throws: Request.Mistake.self) { try Request(["command": .text("offer"), "call-id": .text("c"), "from-tag": .text("a")]) }
        let stray = try await relay.ask("answer", ["sdp": .text(sdp(9)), "to-tag": .text("b")])
        #expect(stray["result"] == .text("error"))
        _ = try await relay.describe("offer", sdp(9))
        let full = try await relay.ask("offer", ["call-id": .text("d"), "sdp": .text(sdp(9)), "supports": .texts(["load limit"])])
        #expect(full["result"] == .text("load limit"))
        let query = try await relay.ask("query", ["call-id": .text("d")])
        #expect(query["result"] == .text("error"))
    }
}
