import Contracts
import Flow

/// Runs that no call has: they ask web servers, decide, calculate and make calls, and whatever needs a call fails with `no_call`. Nobody asks for
/// their next step, so every instance looks after those whose requests nobody makes.
extension Runs {
    private static let lookedAfter = 100

    /// Begins one, once; one whose flow is gone does not begin.
    func launch(_ aftermath: Aftermath) async throws {
        guard let flow = try await flows.current(aftermath.flowID, customerID: aftermath.customerID) else {
            runtime.logger.notice("a flow that was to run afterwards is gone", metadata: ["flow": "\(aftermath.flowID)", "run": "\(aftermath.runID)"])
            return
        }
        let time = runtime.timestamp()
        var command = StartRun(
            runID: aftermath.runID, customerID: aftermath.customerID, flowID: aftermath.flowID, actions: nil, referenceID: aftermath.referenceID,
            variables: aftermath.variables)
        command.after = nil
        var run = Run(actions: flow.actions, variables: variables(of: command), isAlone: true)
        let progress = interpreter.start(&run, at: time.seconds)
        _ = try await begin(run, progress, of: command, chain: aftermath.chain, at: time)
    }

    /// The event says what has ended; what follows it runs once, however often that is told.
    func follow(_ events: [Event]) async throws {
        for event in events {
            switch event.type {
            case "run.finished":
                guard let flowID = event.data["flow_id"]?.string, let flow = try await flows.current(flowID, customerID: event.customerID),
                    let next = flow.onCompleteFlowID, let ended = try await stored(event.resourceID, customerID: event.customerID),
                    let aftermath = Aftermath(ofRun: event.resourceID, event, flowID: next, chain: ended.chain ?? 0)
                else { continue }
                try await launch(aftermath)
            case "recording.stored", "recording.failed":
                guard let end = try await store.recordingEnd(event.resourceID, customerID: event.customerID) else { continue }
                try await launch(Aftermath(of: end, event))
                try await store.forget(recordingEnd: end.recordingID, customerID: end.customerID)
            case "transcript.ended":
                if let aftermath = Aftermath(ofTranscription: event) { try await launch(aftermath) }
            default: break
            }
        }
    }

    /// Before the step is stored with which the flow goes on: a recording that begins is not forgotten.
    func expectEnd(of outcome: Outcome, _ stored: StoredRun) async throws {
        guard let end = Self.recordingEnd(of: outcome, stored) else { return }
        try await store.expect(end)
    }

    static func recordingEnd(of outcome: Outcome, _ stored: StoredRun) -> Store.RecordingEnd? {
        guard case .perform(let action, _)? = stored.run?.current, case .recordingStart(let option) = action.kind, let flowID = option.successor,
            outcome.result == .completed, let id = outcome.variables?["voipbin.recording.id"]
        else { return nil }
        return Store.RecordingEnd(
            recordingID: id, customerID: stored.record.customerID, flowID: flowID, runID: stored.record.id, referenceID: stored.record.referenceID)
    }

    /// Goes on with those whose request nobody makes any more, until cancelled.
    func lookAfterAlone() async {
        while !Task.isCancelled {
            do {
                for stored in try await store.aloneRuns(limit: Self.lookedAfter) { _ = try await takeOverForsaken(stored) }
            } catch {
                runtime.logger.debug("runs without a call wait: \(error)")
            }
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }
}
