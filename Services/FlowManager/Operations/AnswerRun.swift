import Contracts
import Flow
import ServiceKit

/// Runs that wait for the answer of a web server.
///
/// That a request is being made, and by whom, is stored before it leaves; its answer moves the run here, while whoever advanced the run
/// asks again until it has moved. A request whose maker is gone has no answer: the flow is told `interrupted`, and one that
/// only reads (GET) is made anew.
extension Runs {
    /// How long whoever asks waits for an answer before it is told to ask again; less than the bus waits for us.
    static let hold = Duration.seconds(1)
    /// Milliseconds until it asks again.
    static let pause = 50
    /// The same while more than `crowd` requests are under way, when nobody is kept waiting.
    private static let longPause = 300
    private static let crowd = 64

    /// Makes the requests that a move has led to; only once it is stored.
    func makeRequests(_ stored: StoredRun, _ sends: [FlowRequest]) {
        for request in sends { tell(request, stored.record) }
        guard let run = stored.run, case .needAnswer(let request) = run.current else { return }
        let record = stored.record
        guard !underWay.isFull else {
            Task { await take(FlowAnswer(failure: "overloaded", attempts: 0), to: request.number, of: record) }
            return
        }
        Task {
            let answer = await sender.send(request, id: Self.name(request, record), customerID: record.customerID)
            await take(answer, to: request.number, of: record)
        }
    }

    /// Nobody waits for the answer.
    private func tell(_ request: FlowRequest, _ record: RunRecord) {
        Task {
            let answer = await sender.send(request, id: Self.name(request, record), customerID: record.customerID)
            guard !answer.isSuccess else { return }
            runtime.logger.notice(
                "a webhook of a flow was not taken", metadata: ["run": "\(record.id)", "why": "\(answer.failure ?? "http_\(answer.status ?? 0)")"])
        }
    }

    private static func name(_ request: FlowRequest, _ record: RunRecord) -> String { "msg_\(record.id)_\(request.number)" }

    /// Moves the run on with an answer. While the database is away the answer is kept, for as long as anybody waits for it.
    private func take(_ answer: FlowAnswer, to number: Int, of record: RunRecord) async {
        var next: (stored: StoredRun, sends: [FlowRequest])?
        let patience = ContinuousClock.now + .milliseconds(Asking.grace)
        while true {
            do {
                next = try await supply(answer, to: number, runID: record.id, customerID: record.customerID)
                break
            } catch {
                guard ContinuousClock.now < patience else {
                    runtime.logger.error("an answer to a flow's request could not be stored", metadata: ["run": "\(record.id)", "error": "\(error)"])
                    break
                }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        underWay.end(RequestsUnderWay.key(record.id, number))
        if let next { makeRequests(next.stored, next.sends) }
    }

    /// Nil when the run is no longer waiting for that answer.
    private func supply(
        _ answer: FlowAnswer, to number: Int, runID: String, customerID: String
    ) async throws -> (stored: StoredRun, sends: [FlowRequest])? {
        for _ in 0..<Self.attempts {
            guard let stored = try await store.storedRun(runID, customerID: customerID), var run = stored.run else { return nil }
            let time = runtime.timestamp()
            let progress = interpreter.supply(&run, answer, to: number, at: time.seconds)
            guard !progress.occurrences.isEmpty else { return nil }
            let move = try await resolve(progress, of: &run, customerID: customerID, at: time)
            if let next = try await write(run, move, over: stored, at: time) { return (next, move.sends) }
        }
        throw RPCError(.unavailable, "the run is being moved by others")
    }

    /// What is answered to whoever asks for the next step of a run that waits for a web server.
    func waiting(_ stored: StoredRun) async throws -> RunStep {
        let (id, customerID) = (stored.record.id, stored.record.customerID)
        guard let run = stored.run, case .needAnswer(let request) = run.current else { return stored.answer }
        let key = RequestsUnderWay.key(id, request.number)
        // Who waits here holds one of the deliveries that this instance takes at once.
        let isCrowded = underWay.count > Self.crowd
        if underWay.contains(key), !isCrowded {
            await underWay.wait(for: key, atMost: Self.hold)
        } else if !underWay.contains(key), isForsaken(stored) {
            try await takeOver(request, stored, run)
        }
        guard let now = try await store.storedRun(id, customerID: customerID) else { throw RPCError(.notFound, "there is no such run") }
        var answer = now.answer
        if answer.waiting != nil, isCrowded { answer.waiting = Self.longPause }
        return answer
    }

    /// Whether nobody will bring the answer.
    private func isForsaken(_ stored: StoredRun) -> Bool {
        guard let asking = stored.asking, runtime.timestamp() < asking.until else { return true }
        // We have made it and have it no more: its answer could not be stored. One that was stored shows when it is read again.
        if asking.incarnation == runtime.incarnation { return true }
        return !runtime.fleet.living(.flowManager).contains { $0.instance == asking.instance && $0.incarnation == asking.incarnation }
    }

    private func takeOver(_ request: FlowRequest, _ stored: StoredRun, _ run: Run) async throws {
        guard request.method == .get else {
            let next = try await supply(
                FlowAnswer(failure: "interrupted", attempts: 0), to: request.number, runID: stored.record.id,
                customerID: stored.record.customerID)
            if let next { makeRequests(next.stored, next.sends) }
            return
        }
        let time = runtime.timestamp()
        guard let next = try await write(run, Move(occurrences: [], sends: []), over: stored, at: time) else { return }
        makeRequests(next, [])
    }
}
