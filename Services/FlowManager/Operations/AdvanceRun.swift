import Bus
import Contracts
import Flow
import Telemetry

extension Runs {
    /// So often at most another instance may move the run while we look at it; beyond that something else is wrong.
    static let attempts = 4

    private enum Attempt {
        case answered(StoredRun)
        case outOfOrder(expected: Int)
        /// The run is no longer where it was when it was read.
        case overtaken
    }

    /// Takes the outcome of a step and gives the next action. The cursor is stored before the answer leaves; the same step
    /// again gets the same answer, and nothing happens twice.
    func advance(_ command: AdvanceRun) async throws -> RunStep {
        let begin = ContinuousClock.now
        defer { Self.stepTime.observe(begin.duration(to: .now)) }
        // What is remembered may be behind, which shows; what is read is not.
        if let remembered = known[command.runID], remembered.record.customerID == command.customerID,
            case .answered(let stored) = try await attempt(command, on: remembered)
        {
            return try await answer(stored)
        }
        for _ in 0..<Self.attempts {
            guard let stored = try await store.storedRun(command.runID, customerID: command.customerID) else {
                throw RPCError(.notFound, "there is no such run")
            }
            switch try await attempt(command, on: stored) {
            case .answered(let stored): return try await answer(stored)
            case .outOfOrder(let expected):
                throw RPCError(.conflict, "the run awaits the outcome of step \(expected), not of \(command.step)")
            case .overtaken: continue
            }
        }
        throw RPCError(.unavailable, "the run is being moved by others")
    }

    private func attempt(_ command: AdvanceRun, on stored: StoredRun) async throws -> Attempt {
        guard var run = stored.run else {
            let last = stored.record.step
            return command.step <= last ? .answered(stored) : .outOfOrder(expected: last)
        }
        let time = runtime.timestamp()
        let progress: Interpreter.Progress
        do throws(Interpreter.OutOfOrder) {
            progress = try interpreter.advance(&run, step: command.step, command.outcome, at: time.seconds)
        } catch {
            return .outOfOrder(expected: error.expected)
        }
        let move = try await resolve(progress, of: &run, customerID: command.customerID, at: time)
        guard !move.occurrences.isEmpty else { return .answered(stored) }
        guard let next = try await write(run, move, over: stored, at: time) else { return .overtaken }
        makeRequests(next, move.sends)
        return .answered(next)
    }
}

extension Histogram {
    func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(nanoseconds: UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000))
    }
}
