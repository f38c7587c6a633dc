import Bus
import Contracts
import Database
import Deadlines
import Flow
import Telemetry
import Threads

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
    func advance(_ command: AdvanceRun, _ delivery: Delivery) async throws -> RunStep {
        defer { Self.stepTime.observe(since: delivery.arrivedAt) }
        // What is remembered may be behind, which shows; what is read is not.
        if let remembered = known[command.runID], remembered.record.customerID == command.customerID,
            case .answered(let stored) = try await attempt(command, on: remembered)
        {
            return try await answer(stored)
        }
        for _ in 0..<Self.attempts {
            guard let stored = try await self.stored(command.runID, customerID: command.customerID) else {
                throw RPCError(.notFound, "there is no such run")
            }
            switch try await attempt(command, on: stored) {
            case .answered(let stored): return try await answer(stored)
            case .outOfOrder(let expected):
                // Whoever asks has had an answer of somebody's that this instance does not know of.
                if othersMayKnowMore {
                    try await settled()
                    continue
                }
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
        let time = time(of: command.at)
        let progress: Interpreter.Progress
        do throws(Interpreter.OutOfOrder) {
            progress = try interpreter.advance(&run, step: command.step, command.outcome, at: time.seconds)
        } catch {
            return .outOfOrder(expected: error.expected)
        }
        if !progress.occurrences.isEmpty { try await expectEnd(of: command.outcome, stored) }
        let move = try await resolve(progress, of: &run, customerID: command.customerID, at: time)
        guard !move.occurrences.isEmpty else { return .answered(stored) }
        guard let next = try await write(run, move, over: stored, at: time) else { return .overtaken }
        makeRequests(next.requests, of: next.stored.record)
        return .answered(next.stored)
    }
}

extension Runs {
    /// What is made again is made as of when it was made first: with the same events, and with the same answer of whatever asks for the time.
    func time(of earlier: Int64?) -> Timestamp { earlier.map { Timestamp(milliseconds: $0) } ?? runtime.timestamp() }

    /// Most steps lead from one action to the next, of a run that is remembered: those are made whole on the thread of a connection to the database, which
    /// answers them. A task would change threads twice more. Nil: `advance` has to do it.
    @Sendable
    func step(_ command: AdvanceRun, _ delivery: Delivery, _ answer: @escaping @Sendable (RunStep?) -> Void) {
        let wanted = MonotonicClock.now()
        store.database.perform { connection in
            guard case .success(let connection) = connection, let next = try? step(command, since: wanted, on: connection) else { return answer(nil) }
            Self.stepTime.observe(since: delivery.arrivedAt)
            answer(next)
        }
    }

    private func step(_ command: AdvanceRun, since wanted: Instant, on connection: Connection) throws -> RunStep? {
        guard let stored = known[command.runID], stored.record.customerID == command.customerID, var run = stored.run else { return nil }
        if Self.recordingEnd(of: command.outcome, stored) != nil { return nil }
        let time = time(of: command.at)
        let progress = try interpreter.advance(&run, step: command.step, command.outcome, at: time.seconds)
        switch progress.next {
        case .perform, .finished: break
        case .needFlow, .needDepot, .needAnswer: return nil
        }
        guard progress.sends.isEmpty, run.openRequests.isEmpty, stored.asking.isEmpty else { return nil }
        guard !progress.occurrences.isEmpty else { return stored.answer }
        let moved = moved(to: run, Move(occurrences: progress.occurrences, sends: []), over: stored, at: time)
        let next = settle(moved, isWritten: try Store.update(moved.change, on: connection))
        Self.storeTime.observe(since: wanted)
        return next?.stored.answer
    }
}

extension Histogram {
    func observe(since begin: Instant) { observe(nanoseconds: UInt64(max(0, (MonotonicClock.now() - begin).nanoseconds))) }
}
