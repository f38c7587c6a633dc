import Bytes
import Contracts
import Flow

/// A run as the database has it: what everyone may see, where it stands, and the counters that guard both.
struct StoredRun: Sendable, Equatable {
    var record: RunRecord
    /// Nil when the run is over.
    var run: Run?
    /// Of the row; every write raises it by one.
    var version: Int
    /// Of the last event.
    var sequence: Int64
    /// Who makes the requests that the run waits for, by their numbers.
    var asking: [Int: Asking] = [:]
    /// Of a run that no call has: how many runs came before it. Nil when a call has it.
    var chain: Int?
    /// That PostgreSQL lived when this was read or written: in another one it may have forgotten it.
    var life: String?
    /// When it was moved here; nil when it was read.
    var movedAt: Timestamp?

    static let running = "running"

    /// Where the run stands, for the row: its cursor, and who makes its request.
    var cursor: JSONValue? {
        guard let run else { return nil }
        guard !asking.isEmpty, var members = run.cursor.object else { return run.cursor }
        members["asking"] = Asking.json(asking)
        return .object(members)
    }

    /// What is answered to whoever started or advanced the run, now and whenever the same is asked again.
    var answer: RunStep {
        guard let run, case .perform(let action, let step) = run.current else {
            if let run, !run.openRequests.isEmpty {
                return RunStep(runID: record.id, step: record.step, action: nil, finished: nil, waiting: Runs.pause)
            }
            return RunStep(runID: record.id, step: record.step, action: nil, finished: record.status, at: movedAt?.milliseconds)
        }
        return RunStep(
            runID: record.id, step: step, action: action, finished: nil, watch: run.openRequests.isEmpty ? nil : Runs.watchPause,
            at: movedAt?.milliseconds)
    }

    /// The row after the interpreter has moved the run, and the events that tell of it.
    func moved(to run: Run, _ occurrences: [Interpreter.Occurrence], at time: Timestamp) -> (next: StoredRun, events: [Event]) {
        var next = self
        next.version += 1
        next.movedAt = time
        next.record.step = run.step
        if case .finished(let reason) = run.state {
            next.run = nil
            next.record.status = reason.rawValue
            next.record.endedAt = time
        } else {
            next.run = run
        }
        var events: [Event] = []
        for occurrence in occurrences {
            next.sequence += 1
            events.append(
                Event(
                    id: next.eventID(at: time), type: occurrence.eventType, timestamp: time, customerID: record.customerID,
                    resourceID: record.id, sequence: next.sequence, data: next.data(of: occurrence)))
        }
        return (next, events)
    }

    /// Follows from the run, so that who hears of an event that was lost, and is told again, knows it.
    private func eventID(at time: Timestamp) -> String {
        let name = Array("\(record.id)/\(sequence)".utf8)
        return Identifier.make("evt", milliseconds: time.milliseconds, random: (StableHash.hash(name, seed: 0), StableHash.hash(name, seed: 1)))
    }

    /// The run as the API shows it, and what has just happened to it.
    private func data(of occurrence: Interpreter.Occurrence) -> JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(record.id), "customer_id": .string(record.customerID), "reference_id": .string(record.referenceID),
            "flow_id": record.flowID.map(JSONValue.string) ?? .null, "status": .string(record.status),
            "step": .integer(Int64(record.step)), "created_at": .string(record.createdAt.description),
            "ended_at": record.endedAt.map { .string($0.description) } ?? .null,
        ]
        switch occurrence {
        case .started(let action, let step):
            members["action"] = action.shown.json
            members["action_step"] = step.map { .integer(Int64($0)) }
        case .finished(let action, let step, let outcome):
            members["action"] = action.shown.json
            members["action_step"] = step.map { .integer(Int64($0)) }
            members["outcome"] = outcome.shown(of: action).json
        case .ended: break
        }
        return .object(members)
    }
}

extension Interpreter.Occurrence {
    fileprivate var eventType: String {
        switch self {
        case .started: "run.action_started"
        case .finished: "run.action_finished"
        case .ended: "run.finished"
        }
    }
}

extension Outcome {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["result": .string(result.rawValue)]
        members["digits"] = digits.map(JSONValue.string)
        members["code"] = code.map(JSONValue.string)
        members["data"] = data.map(JSONValue.object)
        return .object(members)
    }
}
