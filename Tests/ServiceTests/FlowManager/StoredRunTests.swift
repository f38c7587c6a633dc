import Contracts
import Flow
import Testing

@testable import FlowManager

@Suite("A run moves with its row and its events (DESIGN §8)")
struct StoredRunTests {
    private let time = Timestamp(milliseconds: 1_764_000_000_123)
    private let interpreter = Interpreter()

    private func actions(_ json: JSONValue) throws -> [Action] { try Validation().actions(json).get() }

    /// Starts a run of the actions, as `run.start` does.
    private func started(_ json: JSONValue) throws -> (stored: StoredRun, events: [Event]) {
        var run = Run(actions: try actions(json))
        let progress = interpreter.start(&run, at: 0)
        let record = RunRecord(
            id: "run_1", customerID: "cust_1", flowID: nil, referenceID: "call_1", status: StoredRun.running, step: 0,
            createdAt: time, endedAt: nil)
        return move(StoredRun(record: record, run: nil, version: 0, sequence: 0), to: run, progress)
    }

    private func move(
        _ stored: StoredRun, to run: Run, _ progress: Interpreter.Progress
    ) -> (stored: StoredRun, events: [Event]) {
        let (next, events) = stored.moved(to: run, progress.occurrences, at: time)
        return (next, events)
    }

    @Test("The first step: version 1, one event per action, the action as the answer")
    func start() throws {
        let (stored, events) = try started([["type": "variable_set", "option": ["key": "a", "value": "1"]], ["id": "b", "type": "beep"]])
        #expect(stored.version == 1)
        #expect(stored.record.step == 1)
        #expect(stored.record.status == "running")
        #expect(stored.answer == RunStep(runID: "run_1", step: 1, action: Action(id: "b", .beep), finished: nil, at: time.milliseconds))
        #expect(events.map(\.type) == ["run.action_started", "run.action_finished", "run.action_started"])
        #expect(events.map(\.sequence) == [1, 2, 3])
        #expect(events.allSatisfy { $0.resourceID == "run_1" && $0.customerID == "cust_1" })
        #expect(Set(events.map(\.id)).count == 3 && events.allSatisfy { Identifier.isPlausible($0.id, prefix: "evt") })
    }

    @Test("The events of one run are counted without a gap, and the last one tells why it ended")
    func end() throws {
        var (stored, _) = try started([["id": "a", "type": "beep"]])
        var run = try #require(stored.run)
        let progress = try interpreter.advance(&run, step: 1, .failed("486"), at: 0)
        let (next, events) = move(stored, to: run, progress)
        stored = next
        #expect(events.map(\.sequence) == [2, 3])
        #expect(events.map(\.type) == ["run.action_finished", "run.finished"])
        #expect(events[0].data["outcome"] == ["result": "failed", "code": "486"])
        #expect(events[0].data["action"]?["id"] == "a")
        #expect(events[1].data["status"] == "completed")
        #expect(events[1].data["ended_at"] == "2025-11-24T16:00:00.123Z")
        #expect(stored.run == nil, "nothing of a finished run has to be kept but how it ended")
        #expect(stored.version == 2)
        #expect(stored.answer == RunStep(runID: "run_1", step: 1, action: nil, finished: "completed", at: time.milliseconds))
    }

    @Test("What was lost and is told again, as of then, leads to the same row, the same events under the same names, and the same answer (DESIGN §5)")
    func madeAgain() throws {
        var (stored, _) = try started([
            ["id": "a", "type": "beep"], ["type": "variable_set", "option": ["key": "a", "value": "${results.a.result}"]],
            ["type": "webhook_send", "option": ["uri": "http://example.com/", "data": "{}"]], ["id": "b", "type": "beep"], ["id": "c", "type": "beep"],
        ])
        let before = stored
        func advance(_ step: Int) throws -> (events: [Event], sends: [FlowRequest]) {
            var run = try #require(stored.run)
            let progress = try interpreter.advance(&run, step: step, .completed, at: time.milliseconds / 1_000)
            let (next, events) = move(stored, to: run, progress)
            stored = next
            return (events, progress.sends)
        }
        let first = [try advance(1), try advance(2)]
        let after = stored
        stored = before
        let second = [try advance(1), try advance(2)]
        #expect(stored == after && stored.answer == after.answer)
        #expect(first.map(\.events) == second.map(\.events) && first.map(\.sends) == second.map(\.sends))
        #expect(Set(first.flatMap(\.events).map(\.id)).count == first.flatMap(\.events).count)
    }

    @Test("A run without actions is over when it starts")
    func empty() throws {
        let (stored, events) = try started([])
        #expect(stored.answer.finished == "completed")
        #expect(events.map(\.type) == ["run.finished"])
    }

    @Test("Events tell nobody a PIN: neither the flow's own nor what was pressed")
    func pins() throws {
        let (stored, begun) = try started([["id": "check", "type": "voicemail_check", "option": ["mailbox": "1001", "pin": "4711"]]])
        var run = try #require(stored.run)
        let progress = try interpreter.advance(&run, step: 1, Outcome(.completed, digits: "4712", data: ["digits": "4712", "input": "digits"]), at: 0)
        let (_, events) = move(stored, to: run, progress)
        #expect(begun.count + events.count >= 4)
        #expect(events.contains { $0.data["outcome"]?["digits"] == "????" })
        for event in begun + events { #expect(!event.data.jsonText.contains("471"), "\(event.type)") }
    }
}
