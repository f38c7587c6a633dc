import Phone
import SIP
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`, as for `CallServersTests`: which of the two has a call must not matter.
@Suite("Phones bring calls of two call servers together", .serialized, .timeLimit(.minutes(5)))
struct CallServersTransferTests {
    private static let service = "CallServer"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 5589 §7: an attended transfer between them", arguments: [(1, 2), (2, 1)])
    func attended(_ servers: (first: Int, second: Int)) async throws {
        try await withPhones(3, in: suite) { phones in
            let (mine, stays) = try await talking(phones[0], phones[1], on: servers.first)
            let (consultation, third) = try await talking(phones[0], phones[2], on: servers.second)
            #expect(try await mine.refer(to: phones[2].number, replacing: consultation) == 202)
            #expect(try await mine.ended() == .hungUpThere)
            #expect(try await consultation.ended() == .hungUpThere)
            #expect(await stays.hears(1_010))
            #expect(await third.hears(620))
            // What comes for the call where it was finds it.
            try await third.hold()
            try await third.resume()
            #expect(await third.hears(620))
            try await third.hangup()
            #expect(try await stays.ended() == .hungUpThere)
        }
    }

    @Test("RFC 3891, RFC 3911: a phone takes a place, and joins, in a call of either")
    func places() async throws {
        try await withPhones(3, in: suite) { phones in
            let (outgoing, incoming) = try await talking(phones[0], phones[1], on: 2)
            // Its INVITE goes to one or the other.
            for _ in 0..<4 {
                let joined = try await phones[2].call(phones[1].number, [Header("Join", try await incoming.reference)])
                try await joined.answered()
                #expect(await joined.hears(440))
                #expect(await incoming.hears(1_010))
                try await joined.hangup()
            }
            let newcomer = try await phones[2].call(phones[1].number, [Header(.replaces, try await incoming.reference)])
            try await newcomer.answered()
            #expect(try await incoming.ended() == .hungUpThere)
            #expect(await outgoing.hears(1_010))
            #expect(await newcomer.hears(440))
            try await outgoing.hangup()
            #expect(try await newcomer.ended() == .hungUpThere)
        }
    }

    @Test("RFC 3261 §12.2.2: a request that was answered by one that died has the same answer of its successor")
    func repeated() async throws {
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await talking(phones[0], phones[1], on: 2)
            #expect(try await incoming.refer(to: "1@elsewhere.example") == 403)
            #expect(try await outgoing.ask(.update) == 200)
            // Its snapshot is written soon.
            try await Task.sleep(for: .milliseconds(200))
            let old = try suite.pid(of: Self.service, 2)
            try suite.leaveAlone(Self.service, 2)
            defer { try? suite.supervise(Self.service, 2) }
            try suite.killProcess(of: Self.service, 2)
            #expect(try await outgoing.askAgain() == 200)
            #expect(try await incoming.askAgain() == 403)
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
            try suite.supervise(Self.service, 2)
            try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
            try await suite.eventually("both call servers serve") {
                _ = try await begun(2)
                return try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
            }
        }
    }

    /// Rendezvous sends half of all calls to each.
    private func talking(_ caller: PhoneLine, _ callee: PhoneLine, on server: Int) async throws -> (PhoneCall, PhoneCall) {
        for _ in 0..<40 {
            let before = try await begun(server)
            let (outgoing, incoming) = try await connect(caller, callee)
            if try await begun(server) > before { return (outgoing, incoming) }
            try await outgoing.hangup()
            _ = try await incoming.ended()
        }
        throw PhoneError.timedOut("a call of server \(server)")
    }

    private func begun(_ instance: Int) async throws -> Double { try await suite.metric("tandem_call_legs_total", of: Self.service, instance) }
}
