import Flow
import Foundation
import Phone
import Suite
import Testing

/// Its server dies, and what another could have gone on from is gone as well.
@Suite("A call that nobody can take over (RELIABILITY K2, D3)", .serialized, .timeLimit(.minutes(4)))
struct LostCallTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("each of its legs gets its record all the same, and the events have their last one")
    func records() async throws {
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            let parent = try await suite.callID(from: phones[0].number)
            let child = try #require(
                try await suite.request("GET", "/v1/calls?limit=1&to=\(phones[1].number)&direction=outbound").body["data"]?.array?.first?["id"]?.string)
            let old = try suite.pid(of: "CallServer")
            try suite.leaveAlone("CallServer")
            try suite.killProcess(of: "CallServer")
            for id in [parent, child] {
                try suite.redis("DEL", "tandem:call:state:\(id)", "tandem:call:lease:\(id)")
                try suite.redis("SREM", "tandem:call:ids", id)
            }
            try suite.supervise("CallServer")
            try await suite.waitUntilBack("CallServer", insteadOf: old)
            for id in [parent, child] {
                var record = JSONValue.null
                try await suite.eventually("the record of \(id) is ended", within: .seconds(75)) {
                    record = try await suite.request("GET", "/v1/calls/\(id)").body
                    return record["status"]?.string == "completed"
                }
                #expect(record["hangup_reason"]?.string == "server_lost" && record["hangup_by"]?.string == "platform")
                #expect(record["hangup_cause"]?.integer == 41)
                let times = ["created_at", "answered_at", "ended_at"].compactMap { record[$0]?.string }
                #expect(times.count == 3 && times == times.sorted())
                try await suite.eventually("the last event is told") {
                    let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                    let numbers = events.compactMap { $0["sequence"]?.integer }.sorted()
                    return events.contains { $0["type"]?.string == "call.ended" } && numbers == Array(1...Int64(numbers.count))
                }
            }
            await outgoing.forget()
            await incoming.forget()
        }
    }
}
