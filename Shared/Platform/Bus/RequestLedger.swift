internal import Deadlines

/// The requests that wait for an answer: correlation id -> completion, until their deadline. Pure; time is a parameter.
///
/// Every request leaves the ledger exactly once: answered, expired, withdrawn, or with all others when the broker is lost.
struct RequestLedger<Completion> {
    private struct Request {
        let completion: Completion
        let ticket: DeadlineQueue<UInt64>.Ticket
    }

    private let limit: Int
    private var requests: [UInt64: Request] = [:]
    private var deadlines = DeadlineQueue<UInt64>()

    init(limit: Int) { self.limit = limit }

    var count: Int { requests.count }

    /// When `expire` wants to be called next.
    mutating func nextDeadline() -> Instant? { deadlines.nextDeadline() }

    /// False when the ledger is full, or the id is taken: the request must not be sent.
    mutating func insert(_ id: UInt64, until deadline: Instant, _ completion: Completion) -> Bool {
        guard requests.count < limit, requests[id] == nil else { return false }
        requests[id] = Request(completion: completion, ticket: deadlines.insert(id, at: deadline))
        return true
    }

    /// Nil for an answer nobody waits for any more.
    mutating func take(_ id: UInt64) -> Completion? {
        guard let request = requests.removeValue(forKey: id) else { return nil }
        deadlines.cancel(request.ticket)
        return request.completion
    }

    /// What is due at `now`, earliest deadline first.
    mutating func expire(now: Instant) -> [Completion] {
        var due: [Completion] = []
        while let id = deadlines.popDue(now: now) {
            if let request = requests.removeValue(forKey: id) { due.append(request.completion) }
        }
        return due
    }

    mutating func takeAll() -> [Completion] {
        defer { (requests, deadlines) = ([:], DeadlineQueue()) }
        return requests.sorted { $0.key < $1.key }.map(\.value.completion)
    }
}
