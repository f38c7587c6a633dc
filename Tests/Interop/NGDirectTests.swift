import Addresses
import Foundation
import NG
import SDP
import Suite
import Testing

/// What no function of Kamailio's module asks for, or needs another phone than its calls have: `ng` as it is on the wire.
@Suite("A media relay alone, asked directly over ng", .timeLimit(.minutes(2)))
struct NGDirectTests {
    private let relay: LoneRelay
    private let agent: DatagramAgent
    private let recorded: RecordedCalls

    init() async throws {
        recorded = try RecordedCalls()
        relay = try await LoneRelay(environment: ["TANDEM_RECORDINGS": recorded.folder.path, "TANDEM_CAPTURES": recorded.folder.path])
        agent = try DatagramAgent(at: .loopbackIPv4)
    }

    @discardableResult
    private func ask(_ command: String, _ more: [String: Value] = [:], _ encoding: Message.Encoding = .bencode) async throws -> [String: Value] {
        let cookie = Array("\(UInt64.random(in: .min ... .max))_1".utf8)
        let document: [String: Value] = ["command": .text(command), "call-id": .text("x"), "from-tag": .text("a")]
        let request = Message(cookie: cookie, encoding: encoding, document: document.merging(more) { $1 })
        try agent.send(request.bytes, to: relay.control)
        let answer = try Message(parsing: try await agent.receiveBytes("an answer") { $0.starts(with: cookie) })
        #expect(answer.encoding == encoding)
        return answer.document
    }

    private func describe(_ command: String, _ sdp: String, _ more: [String: Value], _ encoding: Message.Encoding = .bencode) async throws -> String {
        let reply = try await ask(command, more.merging(["sdp": .text(sdp)]) { $1 }, encoding)
        return try #require(reply["sdp"]?.text, "\(reply)")
    }

    private func port(_ sdp: String) throws -> UInt16 { try SessionDescription.parse(sdp).media[0].port }

    private let to: [String: Value] = ["to-tag": .text("b")]
    /// This aiortc does not read the short form of RFC 3605 §2.1.
    private let fullAttribute: [String: Value] = ["flags": .texts(["full-rtcp-attribute"])]

    @Test(
        "RFC 8827, RFC 8445, RFC 5764: a plain phone and aiortc hear each other over ICE and DTLS-SRTP, whoever offers; the recording is in clear",
        arguments: [false, true])
    func webRTC(offers: Bool) async throws {
        let phone = try TonePhone(saying: 440)
        let peer = try AiortcPeer(tone: 440, speaking: 1010, offers: offers)
        let toWeb: [String: Value] = [
            "ICE": .text("force"), "transport-protocol": .text("UDP/TLS/RTP/SAVPF"), "rtcp-mux": .texts(["offer"]), "record-call": .text("on"),
            "flags": .texts(["generate-mid", "replace-origin", "full-rtcp-attribute"]),
        ]
        let toPhone: [String: Value] = [
            "ICE": .text("remove"), "transport-protocol": .text("RTP/AVP"), "rtcp-mux": .texts(["demux"]), "record-call": .text("on"),
            "codec": .dictionary(["strip": .texts(["all"]), "except": .texts(["PCMU"])]),
        ]
        if offers {
            let offer = try await describe("offer", try await peer.description("offer.sdp"), toPhone)
            let parsed = try SessionDescription.parse(offer)
            #expect(parsed.media[0].transport == "RTP/AVP" && parsed.media[0].formats.contains("0") && parsed.connectivity(ofMedia: 0) == nil)
            try peer.tell("answer.sdp", try await describe("answer", phone.description, to.merging(fullAttribute) { $1 }))
            await phone.talk(to: parsed.media[0].port)
        } else {
            let offer = try await describe("offer", phone.description, toWeb)
            let parsed = try SessionDescription.parse(offer)
            #expect(parsed.media[0].transport == "UDP/TLS/RTP/SAVPF" && parsed.connectivity(ofMedia: 0) != nil && !parsed.fingerprints(ofMedia: 0).isEmpty)
            try peer.tell("offer.sdp", offer)
            let answer = try await describe("answer", try await peer.description("answer.sdp"), to)
            await phone.talk(to: try port(answer))
        }
        try await peer.reports("media connected")
        try await peer.reports("hears 440")
        #expect(await phone.hears(1010))
        let query = try await ask("query")
        let flags = (query["tags"]?.dictionary ?? [:]).values.flatMap { $0["medias"]?.list?.first?["flags"]?.texts ?? [] }
        #expect(flags.contains("DTLS-SRTP") && flags.contains("ICE"), "\(flags)")
        #expect(await phone.hears(1010))
        try await ask("delete")
        let files = try await recorded.settled(1)
        let levels = try recorded.levels(files[0], [440, 1010])
        let (left, right) = offers ? (levels[1], levels[0]) : (levels[0], levels[1])
        #expect(left[0] > -25 && left[1] < -32 && right[1] > -25 && right[0] < -32, "\(levels)")
        await phone.quiet()
        recorded.remove()
    }

    @Test("start, pause and stop recording, bencoded or as JSON: a file for each side, without what was said in the pause", arguments: [Message.Encoding.bencode, .json])
    func pauses(_ encoding: Message.Encoding) async throws {
        let (caller, callee) = (try TonePhone(saying: 500), try TonePhone(saying: 900))
        let offer = try await describe("offer", caller.description, ["TOS": .integer(Int64(136))], encoding)
        let answer = try await describe("answer", callee.description, to, encoding)
        await caller.talk(to: try port(answer))
        await callee.talk(to: try port(offer))
        #expect(await caller.hears(900))
        #expect(await callee.hears(500))
        let wish: [String: Value] = ["recording-form": .text("single"), "output-destination": .text("interview")]
        #expect(try await ask("start recording", wish, encoding) == ["result": .text("ok")])
        try await Task.sleep(for: .seconds(1))
        #expect(try await ask("pause recording", [:], encoding) == ["result": .text("ok")])
        await caller.setTone(1600)
        #expect(await callee.hears(1600))
        await caller.setTone(2500)
        #expect(await callee.hears(2500))
        #expect(try await ask("start recording", [:], encoding) == ["result": .text("ok")])
        try await Task.sleep(for: .seconds(1))
        #expect(try await ask("stop recording", [:], encoding) == ["result": .text("ok")])
        #expect(try recorded.names() == ["interview-2.wav", "interview.wav"])
        let (first, second) = (try recorded.levels("interview.wav", [500, 900, 1600, 2500])[0], try recorded.levels("interview-2.wav", [500, 900])[0])
        #expect(first[0] > -25 && first[1] < -32 && first[2] < -32 && first[3] > -25, "\(first)")
        #expect(second[0] < -32 && second[1] > -25, "\(second)")
        let stray = try await ask("start recording", ["output-destination": .text("/tmp/elsewhere")], encoding)
        #expect(stray["result"] == .text("error"))
        try await ask("delete", [:], encoding)
        #expect(try await relay.metric("tandem_ng_unknown_options_total") == 0)
        for phone in [caller, callee] { await phone.quiet() }
        recorded.remove()
    }
}
