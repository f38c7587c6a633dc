import Flow
import Foundation
import Phone
import Suite
import Testing

/// PostgreSQL is away while calls ring, are answered and end, and then their server dies: what it had not written yet is known to Redis alone.
@Suite("Records that PostgreSQL has not taken when their server dies (RELIABILITY K2 with D3)", .serialized, .timeLimit(.minutes(4)))
struct OwedRecordTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("each is written by a successor as the call was, with every event once: of calls that ended, and of those that go on")
    func records() async throws {
        try await withPhones(4, in: suite) { phones in
            let (ending, ended) = try await connect(phones[0], phones[1])
            let (lasting, lastingThere) = try await connect(phones[2], phones[3])
            #expect(await ending.hears(620))
            let parents = [try await suite.callID(from: phones[0].number), try await suite.callID(from: phones[2].number)]
            try await suite.crash(.postgres)
            try await ending.hangup()
            #expect(try await ended.ended() == .hungUpThere)
            try await lasting.send(digits: "7")
            // Longer than snapshots of calls that are over are kept otherwise.
            try await Task.sleep(for: .seconds(3))
            let old = try suite.pid(of: "CallServer")
            try suite.leaveAlone("CallServer")
            try suite.killProcess(of: "CallServer")
            try await suite.startServers()
            try suite.supervise("CallServer")
            try await suite.waitUntilBack("CallServer", insteadOf: old)
            try await suite.again(within: .seconds(10)) { try await lasting.hold() }
            try await lasting.resume()
            try await lasting.hangup()
            #expect(try await lastingThere.ended() == .hungUpThere)
            for (number, parent) in parents.enumerated() {
                let child = try #require(
                    try await suite.request("GET", "/v1/calls?parent_call_id=\(parent)").body["data"]?.array?.first?["id"]?.string)
                for id in [parent, child] {
                    var record = JSONValue.null
                    try await suite.eventually("the record of \(id) is ended", within: .seconds(30)) {
                        record = try await suite.request("GET", "/v1/calls/\(id)").body
                        return record["status"]?.string == "completed"
                    }
                    #expect(record["hangup_reason"]?.string == nil && record["hangup_by"]?.string == "caller")
                    #expect(record["hangup_cause"]?.integer == 16)
                    var types: [String] = []
                    try await suite.eventually("the last event of \(id) is told") {
                        let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                        let sorted = events.sorted { ($0["sequence"]?.integer ?? 0) < ($1["sequence"]?.integer ?? 0) }
                        types = sorted.compactMap { $0["type"]?.string }
                        #expect(sorted.compactMap { $0["sequence"]?.integer } == Array(1...Int64(max(1, sorted.count))), "\(types)")
                        return types.contains("call.ended")
                    }
                    #expect(types.filter { $0 == "call.ended" }.count == 1 && types.filter { $0 == "call.answered" }.count == 1, "\(types)")
                    if id == parent, number == 1 { #expect(types.filter { $0 == "call.digits" }.count == 1, "\(types)") }
                }
            }
        }
    }
}
