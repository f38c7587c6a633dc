import Testing

@Suite("Calls by baresip, heard by their content", .timeLimit(.minutes(2)))
struct BaresipTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("600 echoes the tone of a baresip phone", arguments: [(Sipp.Transport.udp, "PCMU"), (.udp, "PCMA"), (.tcp, "PCMU")])
    func echo(over transport: Sipp.Transport, _ codec: String) async throws {
        let phone = try Baresip(
            as: try await suite.makeAccount(), in: suite, transport: transport, tone: 500, codec: codec, dial: "600")
        try await phone.talks()
        try await Task.sleep(for: .seconds(2))
        try await phone.hangUp()
        let levels = try phone.heard([500, 700])
        #expect(levels[0] > -16, "its own tone comes back at full level (-13 dBFS)")
        #expect(levels[1] < -40, "and nothing else")
    }

    @Test("Two baresip phones hear each other and not themselves", arguments: ["PCMU", "PCMA"])
    func twoPhones(_ callersCodec: String) async throws {
        let (caller, callee) = (try await suite.makeAccount(), try await suite.makeAccount())
        let answering = try Baresip(as: callee, in: suite, tone: 700)
        try await answering.registers()
        let calling = try Baresip(as: caller, in: suite, tone: 500, codec: callersCodec, dial: callee.number)
        try await calling.talks()
        try await answering.talks()
        try await Task.sleep(for: .seconds(2))
        // The callee's recording ends with the call: read it before and after who hangs up matters not.
        try await calling.hangUp()
        try await Task.sleep(for: .milliseconds(300))
        try await answering.hangUp()
        let (caller500, caller700) = (try calling.heard([500, 700])[0], try calling.heard([500, 700])[1])
        let (callee500, callee700) = (try answering.heard([500, 700])[0], try answering.heard([500, 700])[1])
        #expect(caller700 > -16 && caller500 < -40, "the caller hears 700 Hz: \(caller700), and not its own 500 Hz: \(caller500)")
        #expect(callee500 > -16 && callee700 < -40, "the callee hears 500 Hz: \(callee500), and not its own 700 Hz: \(callee700)")
    }
}
