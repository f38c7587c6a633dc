import Phone
import SIP
import Suite
import Testing

@Suite("Kamailio behind an edge alone: phones register with it and call each other through both", .timeLimit(.minutes(2)))
struct KamailioTests {
    private let kamailio: Kamailio
    private let edge: LoneEdge

    init() async throws {
        kamailio = try await Kamailio()
        edge = try await LoneEdge(servers: [kamailio.address.port])
    }

    private func phone(_ number: String, over transport: Transport, tone: Int) async throws -> PhoneLine {
        var settings = PhoneSettings(number: number, domain: "farm.example", password: "", proxy: edge.sip)
        (settings.transport, settings.tone) = (transport, tone)
        let phone = PhoneLine(settings)
        try await phone.register()
        return phone
    }

    @Test(
        "RFC 3261 §16, RFC 3327, RFC 5658: registered by Path; answered, held, resumed, and ended by either side",
        arguments: [Transport.udp, .tcp], [Transport.udp, .tcp])
    func call(from outer: Transport, to inner: Transport) async throws {
        let (caller, callee) = (
            try await phone("1001", over: outer, tone: 440), try await phone("1002", over: inner, tone: 620)
        )
        for isCallerFirst in [true, false] {
            let (outgoing, incoming) = try await connect(caller, callee)
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            try await outgoing.hold()
            try await outgoing.resume()
            try await incoming.hold()
            try await incoming.resume()
            try await (isCallerFirst ? outgoing : incoming).hangup()
            #expect(try await (isCallerFirst ? incoming : outgoing).ended() == .hungUpThere)
        }
        await caller.close()
        await callee.close()
    }

    @Test("RFC 3261 §9, §16.10: CANCEL reaches the ringing phone through both")
    func cancel() async throws {
        let (caller, callee) = (
            try await phone("1001", over: .udp, tone: 440), try await phone("1002", over: .tcp, tone: 620)
        )
        await callee.setIncoming(.ring)
        let outgoing = try await caller.call("1002")
        try await outgoing.ringing()
        let incoming = try await callee.incomingCall()
        try await outgoing.hangup()
        #expect(try await incoming.ended() == .cancelled)
        await caller.close()
        await callee.close()
    }

    @Test("RFC 3261 §21.4.5: whom Kamailio does not know is 404, and its ACK ends there")
    func unknown() async throws {
        let caller = try await phone("1001", over: .udp, tone: 440)
        let outgoing = try await caller.call("1999")
        await #expect(throws: PhoneError.self) { try await outgoing.answered() }
        // Without the ACK Kamailio would send its 404 again after half a second, and the edge forward it.
        try await Task.sleep(for: .milliseconds(1_200))
        let forwarded = try await edge.metric("tandem_edge_responses_total{from=\"inside\"", "class=\"4xx\"")
        #expect(forwarded == 1)
        await caller.close()
    }
}
