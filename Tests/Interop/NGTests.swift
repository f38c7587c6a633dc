import Addresses
import NG
import Phone
import SDP
import Suite
import Testing

@Suite("A media relay alone behind Kamailio's rtpengine module", .timeLimit(.minutes(2)))
struct NGTests {
    private let relay: LoneRelay
    private let kamailio: Kamailio

    init() async throws {
        relay = try await LoneRelay()
        kamailio = try await Kamailio(relay: relay.control)
    }

    private func phone(_ number: String, tone: Int) async throws -> PhoneLine {
        var settings = PhoneSettings(number: number, domain: "farm.example", password: "", proxy: kamailio.address)
        settings.tone = tone
        let phone = PhoneLine(settings)
        try await phone.register()
        return phone
    }

    /// No call, and no port, is left behind.
    private func expectNothingLeft() async throws {
        let agent = try DatagramAgent(at: .loopbackIPv4)
        for _ in 0..<100 {
            if try await ask(agent, ["command": .text("list")])["calls"] == .list([]) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("calls are left: \(relay.log.suffix(2000))")
    }

    private func ask(_ agent: DatagramAgent, _ document: [String: Value], _ encoding: Message.Encoding = .bencode) async throws -> [String: Value] {
        let cookie = Array("\(UInt64.random(in: .min ... .max))_1".utf8)
        try agent.send(Message(cookie: cookie, encoding: encoding, document: document).bytes, to: relay.control)
        let bytes = try await agent.receiveBytes("an answer") { $0.starts(with: cookie) }
        let answer = try Message(parsing: bytes)
        #expect(answer.encoding == encoding)
        return answer.document
    }

    @Test("Two phones hear each other through it, hold, resume and hang up; nothing is left of the call")
    func plain() async throws {
        let (caller, callee) = (try await phone("1001", tone: 440), try await phone("1002", tone: 620))
        for isCallerFirst in [true, false] {
            let (outgoing, incoming) = try await connect(caller, callee)
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            try await incoming.hold()
            try await incoming.resume()
            try await outgoing.hold()
            try await outgoing.resume()
            await outgoing.forgetWhatWasHeard()
            await incoming.forgetWhatWasHeard()
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            try await outgoing.send(digits: "159#")
            #expect(await incoming.receives(digits: "159#"))
            try await (isCallerFirst ? outgoing : incoming).hangup()
            #expect(try await (isCallerFirst ? incoming : outgoing).ended() == .hungUpThere)
        }
        try await expectNothingLeft()
        #expect(try await relay.metric("tandem_ng_failed_requests_total") == 0)
        #expect(try await relay.metric("tandem_ng_unknown_options_total") == 0)
        await caller.close()
        await callee.close()
    }

    @Test(
        "RFC 4568, RFC 3551 §4.5.2: a phone in clear and one that takes nothing but SDES, or nothing but G.722, hear each other",
        arguments: [("1021", "PCMU", Baresip.Protection.sdes), ("1031", "G722/16000/1", nil)])
    func translated(_ number: String, _ codec: String, _ protection: Baresip.Protection?) async throws {
        let caller = try await phone("1001", tone: 500)
        let callee = try Baresip(number, domain: "farm.example", server: kamailio.address, tone: 700, codec: codec, protection: protection, life: .seconds(8))
        try await callee.registers()
        let outgoing = try await caller.call(number)
        try await outgoing.answered()
        #expect(await outgoing.hears(700), "the caller hears 700 Hz")
        #expect(await outgoing.level(of: 500) < -40, "and not itself")
        try await Task.sleep(for: .seconds(2))
        try await outgoing.hangup()
        try await callee.ends()
        let levels = try callee.heard([500, 700])
        #expect(levels[0] > -20 && levels[1] < -36, "the called phone hears 500 Hz and not itself: \(levels)")
        try await expectNothingLeft()
        await caller.close()
    }

    @Test("Both encodings on the wire; a repeated cookie is answered again and done once", arguments: [Message.Encoding.bencode, .json])
    func encodings(_ encoding: Message.Encoding) async throws {
        let agent = try DatagramAgent(at: .loopbackIPv4)
        #expect(try await ask(agent, ["command": .text("ping")], encoding) == ["result": .text("pong")])
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
        let offer: [String: Value] = ["command": .text("offer"), "call-id": .text("x"), "from-tag": .text("a"), "sdp": .text(sdp)]
        let request = Message(cookie: Array("77_1".utf8), encoding: encoding, document: offer)
        var answers: [[UInt8]] = []
        for _ in 0..<3 {
            try agent.send(request.bytes, to: relay.control)
            answers.append(try await agent.receiveBytes("an answer") { $0.starts(with: request.cookie) })
        }
        #expect(Set(answers).count == 1)
        let described = try #require(try Message(parsing: answers[0]).document["sdp"]?.text)
        #expect(try SessionDescription.parse(described).media[0].port >= 24_000)
        let listed = try await ask(agent, ["command": .text("list")], encoding)
        #expect(listed["calls"] == .texts(["x"]))
        let statistics = try await ask(agent, ["command": .text("statistics")], encoding)
        #expect(statistics["statistics"]?["currentstatistics"]?["sessionsown"]?.integer == 1)
        let deleted = try await ask(agent, ["command": .text("delete"), "call-id": .text("x"), "from-tag": .text("a")], encoding)
        #expect(deleted["result"] == .text("ok") && deleted["totals"] != nil)
        let unknown = try await ask(agent, ["command": .text("make coffee")], encoding)
        #expect(unknown["result"] == .text("error"))
    }

    @Test("RELIABILITY V26: who is not named as a peer gets no answer")
    func strangers() async throws {
        let other = try await LoneRelay(environment: ["TANDEM_NG_PEERS": "127.0.0.1"])
        let stranger = try DatagramAgent(at: try #require(IPAddress("127.0.0.2")))
        let friend = try DatagramAgent(at: .loopbackIPv4)
        let ping = Array("1_1 d7:command4:pinge".utf8)
        try stranger.send(ping, to: other.control)
        try friend.send(ping, to: other.control)
        _ = try await friend.receiveBytes("an answer") { $0.starts(with: Array("1_1 ".utf8)) }
        #expect(try await other.metric("tandem_ng_refused_peers_total") == 1)
        await #expect(throws: DatagramAgent.Trouble.self) {
            _ = try await stranger.receiveBytes("no answer", within: .milliseconds(200)) { _ in true }
        }
    }
}
