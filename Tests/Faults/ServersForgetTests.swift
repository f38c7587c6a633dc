import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=2 FlowManager=2"`: whichever of the two took a step, the other may be asked for the next.
@Suite("Servers: PostgreSQL forgets what it had not written to its disk (RELIABILITY D3, DESIGN §5)", .serialized, .timeLimit(.minutes(4)))
struct ServersForgetTests {
    private static let phones = 8

    enum Dying: CaseIterable, Sendable {
        case postgres
        /// Nobody is left who could write again what was lost, but whoever has told it.
        case postgresAndEveryFlowManager
    }

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "flows that took a step, began or ended in its last moments go on, or are over: no step is lost or taken twice, and what was told has no gap",
        arguments: [0, 400], Dying.allCases)
    func steps(milliseconds: Int, dying: Dying) async throws {
        let (before, toldBefore) = (try await writtenAgain(), try await toldAgain())
        let number = try await suite.makeNumber(running: [
            ["id": "answer", "type": "answer"],
            ["id": "in", "type": "digits_receive", "option": ["duration": 120_000, "length": 1]],
            ["id": "kept", "type": "variable_set", "option": ["key": "all", "value": "${all}${voipbin.call.digits}"]],
            ["id": "clear", "type": "variable_set", "option": ["key": "voipbin.call.digits", "value": ""]],
            ["id": "again", "type": "goto", "option": ["target_id": "in", "loop_count": 3]],
            ["id": "out", "type": "digits_send", "option": ["digits": "${all}", "duration": 120, "interval": 80]],
            ["id": "stay", "type": "sleep", "option": ["duration": 120_000]],
        ])
        try await withPhones(Self.phones, in: suite) { phones in
            var calls: [PhoneCall] = []
            for phone in phones.dropLast(2) {
                let call = try await phone.call(number.number)
                try await call.answered()
                calls.append(call)
            }
            var ids: [String] = []
            for call in calls { ids.append(try await suite.callID(from: call.line.number)) }
            try await press("1", on: calls)
            let gateway = try suite.processes(of: "APIGateway")
            for process in gateway { kill(process, SIGSTOP) }
            defer { for process in gateway { kill(process, SIGCONT) } }
            // One ends, two begin.
            try await calls[0].hangup()
            for phone in phones.suffix(2) {
                let call = try await phone.call(number.number)
                try await call.answered()
                calls.append(call)
            }
            // What is kept of the call that has ended is on disk before, and all that was written until then.
            try await Task.sleep(for: .seconds(1))
            // With its usual 200 ms, and while the log of events is written beside, it would be a matter of luck whether there is anything to forget.
            let writer = try suite.holdWriter()
            defer { kill(writer, SIGCONT) }
            try await press("2", on: Array(calls.dropFirst().dropLast(2)))
            try await press("1", on: calls.suffix(2))
            try await Task.sleep(for: .milliseconds(milliseconds))
            if dying == .postgresAndEveryFlowManager { for instance in 1...2 { try suite.killProcess(of: "FlowManager", instance) } }
            try await suite.crashPostgres(holding: writer)
            try await Task.sleep(for: .seconds(1))
            try await suite.startServers()
            for process in gateway { kill(process, SIGCONT) }
            for call in calls.suffix(2) { ids.append(try await suite.callID(from: call.line.number)) }
            let (early, late) = (calls[1..<calls.count - 2], calls.suffix(2))
            try await press("2", on: Array(late))
            for key in ["3", "4"] { try await press(key, on: Array(early) + late) }
            for call in early + late {
                let received = await call.receives(digits: "1234", within: .seconds(20))
                let heard = await call.report.sound.digits
                #expect(received, "1234, not \(heard)")
                try await call.hangup()
            }
            for id in ids { try await isTold("run_" + id.dropFirst("call_".count)) }
            switch dying {
            case .postgres:
                let again = try await writtenAgain() - before
                print("\(milliseconds) ms after the last step: \(Int(again)) runs of \(ids.count) were written again")
            case .postgresAndEveryFlowManager:
                let again = try await toldAgain() - toldBefore
                print("\(milliseconds) ms after the last step: \(Int(again)) runs of \(ids.count) were told again")
                #expect(again > 0)
            }
        }
    }

    private func writtenAgain() async throws -> Double {
        var sum = 0.0
        for instance in 1...2 { sum += try await suite.metric("tandem_flow_runs_written_again_total", of: "FlowManager", instance) }
        return sum
    }

    private func toldAgain() async throws -> Double {
        var sum = 0.0
        for instance in 1...2 { sum += try await suite.metric("tandem_call_runs_told_again_total", of: "CallServer", instance) }
        return sum
    }

    /// Each is a step of its own: the flow has it before the next comes.
    private func press(_ key: String, on calls: [PhoneCall]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for call in calls { group.addTask { try await call.send(digits: key) } }
            try await group.waitForAll()
        }
        try await Task.sleep(for: .milliseconds(200))
    }

    /// The run is over, and its events are counted from one on, each once, to the last.
    private func isTold(_ run: String) async throws {
        try await suite.eventually("\(run) is over, and all of it was told", within: .seconds(30)) {
            guard try await suite.request("GET", "/v1/runs/\(run)").body["status"]?.string == "call_ended" else { return false }
            let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(run)").body["data"]?.array ?? []
            let numbers = events.compactMap { $0["sequence"]?.integer }.sorted()
            return numbers == Array(1...Int64(max(1, numbers.count))) && events.contains { $0["type"]?.string == "run.finished" }
        }
    }
}
