import Phone
import SIP
import Suite
import Testing

/// Beside the other deaths, since they come one at a time. What is sent at that moment is lost with the process, and these phones
/// send nothing twice (RFC 3261 §17.1.1.2): the edge does.
extension DeathTests {
    @Test("RELIABILITY §4.3: a call that begins over a connection while its call server dies is answered", arguments: [
        Transport.tcp, .ws,
    ])
    func callBegins(over transport: Transport) async throws {
        try await withPhones(2, in: suite, transport: transport) { phones in
            let old = try suite.pid(of: "CallServer")
            try suite.killProcess(of: "CallServer")
            let call = try await phones[0].call(phones[1].number)
            try await call.answered(within: .seconds(25))
            let incoming = try await phones[1].incomingCall()
            #expect(await call.hears(620))
            #expect(await incoming.hears(440))
            try await call.hangup()
            _ = try await incoming.ended()
            try await suite.waitUntilBack("CallServer", insteadOf: old)
        }
    }

    @Test("RELIABILITY §4.3: a phone over a connection that renews its binding while its registrar dies is bound", arguments: [
        Transport.tcp, .tls,
    ])
    func registers(over transport: Transport) async throws {
        try await withPhones(1, in: suite, transport: transport) { phones in
            let old = try suite.pid(of: "Registrar")
            try suite.killProcess(of: "Registrar")
            #expect(try await phones[0].register(within: .seconds(25)).status == 200)
            try await suite.waitUntilBack("Registrar", insteadOf: old)
        }
    }
}
