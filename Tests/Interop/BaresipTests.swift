import Suite
import Testing

@Suite("Calls by baresip, heard by their content", .timeLimit(.minutes(2)))
struct BaresipTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("600 echoes the tone of a baresip phone", arguments: [(Sipp.Transport.udp, "PCMU"), (.udp, "PCMA"), (.tcp, "PCMU")])
    func echo(over transport: Sipp.Transport, _ codec: String) async throws {
        let account = try await suite.makeAccount()
        let phone = try Baresip(as: account, in: suite, transport: transport, tone: 500, codec: codec, dial: "600", life: .seconds(4))
        try await phone.talks()
        try await phone.ends()
        let levels = try phone.heard([500, 700])
        #expect(levels[0] > -16, "its own tone comes back at full level (-13 dBFS)")
        #expect(levels[1] < -40, "and nothing else")
    }

    @Test("RFC 7587, RFC 3551 §4.5.2: 600 echoes the tone of a phone that speaks nothing but Opus, or G.722", arguments: ["opus/48000/2", "G722/16000/1"])
    func transcoded(_ codec: String) async throws {
        let account = try await suite.makeAccount()
        let phone = try Baresip(as: account, in: suite, tone: 500, codec: codec, dial: "600", life: .seconds(5))
        try await phone.talks()
        try await phone.ends()
        let levels = try phone.heard([500, 700])
        #expect(levels[0] > -18 && levels[1] < -38, "its own tone comes back, and nothing else: \(levels)")
    }

    @Test(
        "RFC 4568, RFC 5763: 600 echoes the tone of a phone that has its keys in the description, and of one that shakes hands for them",
        arguments: Baresip.Protection.allCases)
    func protected(_ protection: Baresip.Protection) async throws {
        let account = try await suite.makeAccount()
        let phone = try Baresip(as: account, in: suite, tone: 500, protection: protection, dial: "600", life: .seconds(5))
        try await phone.talks()
        try await phone.ends()
        let levels = try phone.heard([500, 700])
        #expect(levels[0] > -16 && levels[1] < -40, "its own tone comes back at full level, and nothing else: \(levels)")
    }

    @Test("RFC 4568: a phone that takes no plain RTP is called with keys in the description, and the two hear each other")
    func calledSecurely() async throws {
        let (caller, callee) = (try await suite.makeAccount(), try await suite.makeAccount())
        let answering = try Baresip(as: callee, in: suite, tone: 700, protection: .sdes, life: .seconds(8))
        try await answering.registers()
        let calling = try Baresip(as: caller, in: suite, tone: 500, dial: callee.number, life: .seconds(4))
        try await calling.talks()
        try await calling.ends()
        try await answering.ends()
        let (atCaller, atCallee) = (try calling.heard([500, 700]), try answering.heard([500, 700]))
        #expect(atCaller[1] > -16 && atCallee[0] > -16, "each hears the other: \(atCaller), \(atCallee)")
    }

    @Test("Two baresip phones hear each other and not themselves", arguments: ["PCMU", "PCMA"])
    func twoPhones(_ callersCodec: String) async throws {
        let (caller, callee) = (try await suite.makeAccount(), try await suite.makeAccount())
        let answering = try Baresip(as: callee, in: suite, tone: 700, life: .seconds(8))
        try await answering.registers()
        let calling = try Baresip(as: caller, in: suite, tone: 500, codec: callersCodec, dial: callee.number, life: .seconds(4))
        try await calling.talks()
        try await answering.talks()
        try await calling.ends()
        try await answering.ends()
        let (atCaller, atCallee) = (try calling.heard([500, 700]), try answering.heard([500, 700]))
        #expect(atCaller[1] > -16 && atCaller[0] < -40, "the caller hears 700 Hz and not its own 500 Hz: \(atCaller)")
        #expect(atCallee[0] > -16 && atCallee[1] < -40, "the callee hears 500 Hz and not its own 700 Hz: \(atCallee)")
    }
}
