import Bus
import Contracts
import Deadlines
import Telemetry

/// Tells FlowManager what becomes of runs; and once more what it may have lost: when it does not know of a step that it has made itself, and
/// whenever PostgreSQL has crashed. Whatever it has is not made again.
extension CallEngine {
    /// What was told before that the disk has by now, also a slow one.
    private static let onDisk = Interval.seconds(-5)
    private static let again = Counter(
        "tandem_call_runs_told_again_total", "Runs of which FlowManager was told again what PostgreSQL may have lost.")
    /// A step that is made again may wait for a web server, each time for a second.
    private static let mostWaits = 60

    /// Its answer is the leg's next step.
    func tell(_ telling: ToldSteps.Telling, for leg: Leg, _ purpose: String) {
        switch telling {
        case .begun(let command): ask(command, telling, for: leg, purpose)
        case .ended(let command): ask(command, telling, for: leg, purpose)
        }
    }

    private func ask<C: Command>(_ command: C, _ telling: ToldSteps.Telling, for leg: Leg, _ purpose: String, isAgain: Bool = false)
    where C.Reply == RunStep {
        let id = leg.record.id
        let context = CallContext(customer: leg.record.customerID, idempotencyKey: "\(id)/\(leg.epoch)/\(purpose)")
        let traced = trace(command, for: leg)
        let begin = loop.now
        ask(command, context) { [loop] result in
            traced?.ended(result)
            loop.post {
                self.assumeIsolated { engine in
                    engine.note(result, of: begin)
                    switch result {
                    case .success(let step):
                        engine.told.took(telling, step, at: engine.loop.now)
                        engine.handle(id, .step(step))
                    case .failure(let error):
                        guard !isAgain, error.isOfLostRun, !engine.told.tellings(of: telling.runID).isEmpty else {
                            return engine.handle(id, .stepFailed(error))
                        }
                        Task { await engine.tellAgain(command, telling, for: id, purpose) }
                    }
                }
            }
        }
    }

    /// First what came before it.
    private func tellAgain<C: Command>(_ command: C, _ telling: ToldSteps.Telling, for id: String, _ purpose: String) async where C.Reply == RunStep {
        if let error = await tellAgain(telling.runID) { return handle(id, .stepFailed(error)) }
        guard let leg = legs[id]?.leg else { return }
        retellings &+= 1
        ask(command, telling, for: leg, "\(purpose)/again/\(retellings)", isAgain: true)
    }

    /// Nil when FlowManager has now, or had, what it had taken of the run lately.
    private func tellAgain(_ run: String) async -> RPCError? {
        Self.again.add()
        for telling in told.tellings(of: run) {
            for _ in 0..<Self.mostWaits {
                let result: Result<RunStep, RPCError>
                do throws(RPCError) { result = .success(try await askAgain(telling)) } catch { result = .failure(error) }
                if case .failure(let error) = result, !error.isOfLostRun { return error }
                // It goes on without this one, or is further: whatever is asked next finds out.
                guard case .success(let step) = result, let pause = step.waiting else { break }
                try? await Task.sleep(for: .milliseconds(pause))
            }
        }
        return nil
    }

    private func askAgain(_ telling: ToldSteps.Telling) async throws(RPCError) -> RunStep {
        retellings &+= 1
        let context = CallContext(customer: telling.customerID, idempotencyKey: "\(runtime.incarnation)/again/\(retellings)")
        switch telling {
        case .begun(let command): return try await bus.call(command, to: .any, context: context)
        case .ended(let command): return try await bus.call(command, to: .any, context: context)
        }
    }

    // MARK: When PostgreSQL has crashed

    /// It lived this life at that moment.
    func sawPostgres(_ life: String, at asked: Instant) {
        let known = postgresLife
        postgresLife = life
        if let known, known != life { lost.formUnion(told.all) } else { told.forget(toldBefore: asked + Self.onDisk, besides: lost) }
        guard !lost.isEmpty, !isTellingAgain else { return }
        isTellingAgain = true
        Task { await tellWhatIsLost() }
    }

    /// One after the other, beside what calls want meanwhile. What cannot be told now is told when PostgreSQL is seen again.
    private func tellWhatIsLost() async {
        defer { isTellingAgain = false }
        for run in lost.sorted() {
            guard await tellAgain(run) == nil else { return }
            lost.remove(run)
        }
    }
}

extension RPCError {
    /// Whether FlowManager knows less of the run than was told, or nothing.
    fileprivate var isOfLostRun: Bool { code == .conflict || code == .notFound }
}
