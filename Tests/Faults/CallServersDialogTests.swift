import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`: which of the two has a call must not matter to who watches its phones, nor that it dies.
@Suite("RFC 4235: dialogs of two call servers are watched", .serialized, .timeLimit(.minutes(5)))
struct CallServersDialogTests {
    let servers: TwoCallServers

    init() throws { servers = TwoCallServers(suite: try RunningSuite()) }

    @Test("calls of either are told of, and the end of one whose server has died")
    func eitherAndDeath() async throws {
        let suite = servers.suite
        let account = try await suite.makeAccount()
        try await withPhones(2, in: suite) { phones in
            let lamp = try Lamp(suite, account, watching: phones[1].number)
            #expect(try await lamp.subscribe().status == 200)
            for instance in [1, 2] {
                let (outgoing, _) = try await servers.talking(phones[0], phones[1], on: instance)
                _ = try await lamp.shows("a call of server \(instance)") { $0.contains(">confirmed</state>") }
                try await outgoing.hangup()
                _ = try await lamp.shows("its end") { $0.contains(">terminated</state>") && !$0.contains(">confirmed</state>") }
            }
            let (outgoing, incoming) = try await servers.talking(phones[0], phones[1], on: 2)
            _ = try await lamp.shows(state: "confirmed")
            try await servers.without(2) { _ in
                try await outgoing.hangup()
                try await incoming.ended(within: .seconds(20))
                let over = try await lamp.shows("the end that the successor tells") { $0.contains(">terminated</state>") && !$0.contains(">confirmed</state>") }
                #expect(over.contains("direction=\"recipient\""))
            }
            #expect(try await lamp.subscribe(expires: 0).status == 200)
        }
    }
}
