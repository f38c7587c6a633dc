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
                    var (types, numbers) = ([String](), [Int64]())
                    try await suite.eventually("the last event of \(id) is told") {
                        let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                        let sorted = events.sorted { ($0["sequence"]?.integer ?? 0) < ($1["sequence"]?.integer ?? 0) }
                        (types, numbers) = (sorted.compactMap { $0["type"]?.string }, sorted.compactMap { $0["sequence"]?.integer })
                        return types.contains("call.ended")
                    }
                    #expect(numbers == numbers.indices.map { Int64($0 + 1) }, "\(types)")
                    #expect(types.filter { $0 == "call.ended" }.count == 1 && types.filter { $0 == "call.answered" }.count == 1, "\(types)")
                    if id == parent, number == 1 { #expect(types.filter { $0 == "call.digits" }.count == 1, "\(types)") }
                }
            }
        }
    }

    @Test("and as they ended: nobody who was busy, declined or was given up on is rung again, and each record says why")
    func ends() async throws {
        try await withPhones(6, in: suite) { phones in
            await phones[1].setIncoming(.busy)
            await phones[3].setIncoming(.ring)
            await phones[5].setIncoming(.decline)
            // Records wait, and nothing else does.
            let lock = try await suite.lock("calls.calls")
            defer { lock.release() }
            let givenUp = try await phones[2].call(phones[3].number)
            _ = try await phones[3].incomingCall()
            for (caller, callee) in [(0, 1), (4, 5)] {
                let call = try await phones[caller].call(phones[callee].number)
                _ = try await call.ended()
            }
            try await givenUp.hangup()
            // A phone takes an INVITE that comes again later for a new one.
            try await Task.sleep(for: .seconds(6))
            let old = try suite.pid(of: "CallServer")
            try suite.leaveAlone("CallServer")
            try suite.killProcess(of: "CallServer")
            lock.release()
            try suite.supervise("CallServer")
            try await suite.waitUntilBack("CallServer", insteadOf: old)
            for (number, status, code) in [(1, "busy", 486), (3, "canceled", 487), (5, "busy", 603)] as [(Int, String, Int64)] {
                var found: [JSONValue] = []
                try await suite.eventually("the record of \(number) is ended", within: .seconds(30)) {
                    found = try await suite.request("GET", "/v1/calls?limit=3&direction=outbound&to=\(phones[number].number)").body["data"]?.array ?? []
                    return found.first?["ended_at"]?.string != nil
                }
                #expect(found.count == 1 && found[0]["status"]?.string == status && found[0]["sip_code"]?.integer == code, "\(found)")
                let calls = await phones[number].reports.count
                #expect(calls == 1, "nobody is rung again")
            }
        }
    }
}
