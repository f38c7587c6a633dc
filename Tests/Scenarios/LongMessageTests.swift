import Deadlines
import Phone
import SIP
import Suite
import Testing

@Suite("Messages too long for a datagram inside (RFC 3261 §18.1.1)", .timeLimit(.minutes(2)))
struct LongMessageTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "§18.1.1: phones with 6 KB of description register and talk, and inside all that is too long goes over TCP",
        arguments: [Transport.udp, .tcp])
    func sixKilobytes(transport: Transport) async throws {
        let before = try await counts()
        try await withPhones(2, in: suite, transport: transport, padding: 6_000) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await callee.hangup()
            #expect(try await caller.ended() == .hungUpThere)
        }
        let after = try await counts()
        // Two REGISTERs and what answers them, the INVITE in, the INVITE out to a long Contact, and its 200.
        #expect(after.registers >= before.registers + 2)
        #expect(after.toCallServer >= before.toCallServer + 2)
        #expect(after.fromServers >= before.fromServers + 3)
        #expect(after.longDatagrams == before.longDatagrams)
    }

    private struct Counts {
        let registers: Double
        let toCallServer: Double
        let fromServers: Double
        let longDatagrams: Double
    }

    private func counts() async throws -> Counts {
        Counts(
            registers: try await suite.metric("tandem_registrar_stream_messages_total", of: "Registrar"),
            toCallServer: try await suite.metric("tandem_call_stream_messages_total", of: "CallServer"),
            fromServers: try await suite.metric("tandem_edge_inside_stream_messages_total", "direction=\"received\"", of: "EdgeProxy"),
            longDatagrams: try await suite.metric("tandem_edge_inside_long_datagrams_total", of: "EdgeProxy")
                + suite.metric("tandem_call_long_datagrams_total", of: "CallServer")
                + suite.metric("tandem_registrar_long_datagrams_total", of: "Registrar"))
    }
}
