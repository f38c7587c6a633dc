import Contracts
import Flow
import ServiceKit

/// Runs that wait for the answer of a web server.
///
/// That a request is being made, and by whom, is stored before it leaves; its answer moves the run here, while whoever advanced the run
/// asks again until it has moved. A request whose maker is gone has no answer: the flow is told `interrupted`, and one that
/// only reads (GET) is made anew.
extension Runs {
    /// How long whoever asks waits for an answer before it is told to ask again; less than it waits for us before it asks another.
    static let hold = Duration.milliseconds(500)
    /// Milliseconds until it asks again.
    static let pause = 50
    /// The same while an action is performed beside the requests.
    static let watchPause = 100
    /// The same while more than `crowd` requests are under way, when nobody is kept waiting.
    private static let longPause = 300
    private static let crowd = 64
    /// Everybody announces himself four times within that.
    private static let acquaintance = Duration.seconds(1)

    /// Makes the requests that a move has led to; only once it is stored.
    func makeRequests(_ requests: [FlowRequest], of record: RunRecord) {
        for request in requests {
            guard !underWay.isFull else {
                Task { await take(FlowAnswer(failure: "overloaded", attempts: 0), to: request.number, of: record) }
                continue
            }
            Task {
                let begin = Timeline.now()
                let answer = await sender.send(request, id: Self.name(request, record), customerID: record.customerID)
                timeline.trace(request, answer, since: begin, run: record.id, reference: record.referenceID, customer: record.customerID)
                await take(answer, to: request.number, of: record)
            }
        }
    }

    private static func name(_ request: FlowRequest, _ record: RunRecord) -> String { "msg_\(record.id)_\(request.number)" }

    /// Moves the run on with an answer. While the database is away the answer is kept, for as long as anybody waits for it.
    private func take(_ answer: FlowAnswer, to number: Int, of record: RunRecord) async {
        var next: Supplied?
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
        if let next { makeRequests(next.requests, of: next.stored.record) }
    }

    private typealias Supplied = (stored: StoredRun, requests: [FlowRequest])

    /// Nil when the run is no longer waiting for that answer.
    private func supply(_ answer: FlowAnswer, to number: Int, runID: String, customerID: String) async throws -> Supplied? {
        for _ in 0..<Self.attempts {
            guard let stored = try await self.stored(runID, customerID: customerID), var run = stored.run else { return nil }
            let time = runtime.timestamp()
            let progress = interpreter.supply(&run, answer, to: number, at: time.seconds)
            guard !progress.occurrences.isEmpty else { return nil }
            let move = try await resolve(progress, of: &run, customerID: customerID, at: time)
            if let next = try await write(run, move, over: stored, at: time, durably: true) { return next }
        }
        throw RPCError(.unavailable, "the run is being moved by others")
    }

    /// What is answered to whoever asks for the next step of a run that waits for a web server.
    func waiting(_ stored: StoredRun) async throws -> RunStep {
        let (id, customerID) = (stored.record.id, stored.record.customerID)
        guard let run = stored.run else { return stored.answer }
        // Who waits here holds one of the deliveries that this instance takes at once.
        let isCrowded = underWay.count > Self.crowd
        let made = run.openRequests.first { underWay.contains(RequestsUnderWay.key(id, $0.number)) }
        if let made, !isCrowded {
            await underWay.wait(for: RequestsUnderWay.key(id, made.number), atMost: Self.hold)
        }
        try await takeOverForsaken(stored)
        guard let now = try await self.stored(id, customerID: customerID) else { throw RPCError(.notFound, "there is no such run") }
        var answer = now.answer
        if answer.waiting != nil, isCrowded { answer.waiting = Self.longPause }
        return answer
    }

    /// Whether an action is still wanted that other branches may put an end to.
    func watch(_ command: WatchRun) async throws -> RunStep {
        guard let stored = try await self.stored(command.runID, customerID: command.customerID) else {
            throw RPCError(.notFound, "there is no such run")
        }
        guard try await takeOverForsaken(stored) else { return stored.answer }
        return try await self.stored(command.runID, customerID: command.customerID)?.answer ?? stored.answer
    }

    /// True when there was a request that nobody would have brought the answer of.
    @discardableResult
    func takeOverForsaken(_ stored: StoredRun) async throws -> Bool {
        var isMoved = false
        for request in stored.run?.openRequests ?? [] {
            guard !underWay.contains(RequestsUnderWay.key(stored.record.id, request.number)), isForsaken(stored.asking[request.number]) else { continue }
            try await takeOver(request, of: stored.record)
            isMoved = true
        }
        return isMoved
    }

    /// Whether nobody will bring the answer.
    private func isForsaken(_ asking: Asking?) -> Bool {
        guard let asking, runtime.timestamp() < asking.until else { return true }
        // We have made it and have it no more: its answer could not be stored. One that was stored shows when it is read again. A former life of
        // ours is over as well.
        if asking.instance == runtime.instance { return true }
        // Who has only just started has not heard of everybody yet.
        guard ContinuousClock.now - startedAt > Self.acquaintance else { return false }
        return !runtime.fleet.living(.flowManager).contains { $0.instance == asking.instance && $0.incarnation == asking.incarnation }
    }

    private func takeOver(_ request: FlowRequest, of record: RunRecord) async throws {
        guard request.method == .get else {
            let answer = FlowAnswer(failure: "interrupted", attempts: 0)
            if let next = try await supply(answer, to: request.number, runID: record.id, customerID: record.customerID) {
                makeRequests(next.requests, of: next.stored.record)
            }
            return
        }
        // Whoever reads that nobody makes it says by the row's version that he does.
        guard let stored = try await self.stored(record.id, customerID: record.customerID), let run = stored.run,
            run.openRequests.contains(where: { $0.number == request.number }), isForsaken(stored.asking[request.number])
        else { return }
        let move = Move(occurrences: [], sends: [])
        guard let next = try await write(run, move, over: stored, at: runtime.timestamp(), taking: request.number) else { return }
        makeRequests(next.requests, of: next.stored.record)
    }
}
