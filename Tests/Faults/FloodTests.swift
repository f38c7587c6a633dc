import Addresses
import Phone
import Suite
import Testing

/// Beside the deaths, since it leaves other tests little of the machine.
extension DeathTests {
    @Test("O5: beside 100,000 datagrams of garbage, 20,000 a second, every call is set up and hung up")
    func garbage() async throws {
        let (place, strangers) = (Neighbourhood(), Neighbourhood())
        var pairs: [(PhoneLine, PhoneLine)] = []
        for index in 0..<4 {
            pairs.append((try await phone(at: place.address(UInt8(2 * index + 1))), try await phone(at: place.address(UInt8(2 * index + 2)))))
        }
        let before = try await notServed()
        let flood = try Flood(to: suite.sip, from: (1...16).map { strangers.address($0) })
        defer { flood.stop() }
        let calls = try await withThrowingTaskGroup(of: Int.self) { group in
            for (caller, callee) in pairs {
                group.addTask {
                    var calls = 0
                    while flood.sent < 100_000 || calls < 10 {
                        let (outgoing, incoming) = try await connect(caller, callee)
                        try await outgoing.hangup()
                        guard case .hungUpThere = try await incoming.ended() else { throw PhoneError.wrongState("not hung up") }
                        calls += 1
                    }
                    return calls
                }
            }
            return try await group.reduce(0, +)
        }
        flood.stop()
        #expect(calls >= 40)
        let arrived = try await notServed() - before
        #expect(arrived > 80_000, "the flood has arrived")
        for (caller, callee) in pairs {
            await caller.close()
            await callee.close()
        }
    }

    /// What the edge has counted of datagrams that went no further.
    private func notServed() async throws -> Double {
        var sum = 0.0
        for name in ["tandem_edge_malformed_total", "tandem_edge_refused_total", "tandem_edge_dropped_total{reason=\"foreignResponse\""] {
            sum += try await suite.metric(name, of: "EdgeProxy")
        }
        return sum
    }

    /// From an address of its own: the suite's is never limited.
    private func phone(at address: IPAddress) async throws -> PhoneLine {
        let account = try await suite.makeAccount()
        var settings = PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: suite.sip)
        settings.local = address
        let phone = PhoneLine(settings)
        try await phone.register()
        return phone
    }
}
