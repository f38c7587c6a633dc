import Flow
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`: what one call has to tell another may come to the server that does not have it, which passes it on.
@Suite("CallServers: calls that belong together are of two servers", .serialized, .timeLimit(.minutes(5)))
struct CallServersMeetTests {
    let servers: TwoCallServers

    init() throws { servers = TwoCallServers(suite: try RunningSuite()) }

    private var suite: RunningSuite { servers.suite }

    @Test("who is parked with the one is fetched from the other, and goes on when it is alone again")
    func parked() async throws {
        let lot = "lot\(UInt32.random(in: .min ... .max))"
        let park = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "park", "type": "park", "option": ["lot": .string(lot), "slot": "7"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1200, "duration": 2000]], ["id": "bye", "type": "hangup"],
        ])
        let fetch = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "get", "type": "park", "option": ["lot": .string(lot), "retrieve": "7"]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(2, in: suite) { phones in
            // Where a call begins is chance: until each has fetched from the other.
            var wanted: Set = ["1 from 2", "2 from 1"]
            for _ in 0..<30 where !wanted.isEmpty {
                let before = try await servers.begun(1)
                let waiting = try await phones[0].call(park.number)
                try await waiting.answered()
                #expect(await waiting.hearsSomething(), "music")
                let between = try await servers.begun(1)
                let fetching = try await phones[1].call(fetch.number)
                try await fetching.answered()
                let places = (try await servers.begun(1) > between ? 1 : 2, between > before ? 1 : 2)
                #expect(await fetching.hears(440, within: .seconds(6)), "\(places): the call that was parked")
                #expect(await waiting.hears(620, within: .seconds(6)), "\(places): who has fetched it")
                try await fetching.hangup()
                #expect(await waiting.hears(1200, within: .seconds(8)), "\(places): its flow goes on")
                #expect(try await waiting.ended(within: .seconds(10)) == .hungUpThere)
                wanted.remove("\(places.0) from \(places.1)")
            }
            #expect(wanted.isEmpty, "no call was fetched \(wanted)")
        }
    }

    @Test("calls that a flow makes are of either server, and end with their master, whichever has it")
    func chained() async throws {
        try await withPhones(6, in: suite) { phones in
            let calls: [JSONValue] = phones.dropFirst().enumerated().map { place, phone in
                ["id": .string("out\(place)"), "type": "call", "option": [
                    "destinations": [["type": "extension", "target": .string(phone.number)]], "chained": true,
                    "actions": [["type": "echo", "option": ["duration": 120_000]]],
                ]]
            }
            let number = try await suite.makeNumber(
                running: .array([["type": "answer"]] + calls + [["type": "sleep", "option": ["duration": 120_000]]]))
            // Where each begins is chance, so that some are told by way of the server that does not have them.
            for _ in 0..<4 {
                let call = try await phones[0].call(number.number)
                try await call.answered()
                var incoming: [PhoneCall] = []
                for phone in phones.dropFirst() { incoming.append(try await phone.incomingCall()) }
                for call in incoming { try await call.answered() }
                try await call.hangup()
                for call in incoming { #expect(try await call.ended(within: .seconds(15)) == .hungUpThere) }
            }
        }
    }
}
