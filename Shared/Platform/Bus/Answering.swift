internal import Contracts
internal import FoundationEssentials
internal import Synchronization

/// What a command came to.
enum Answer: Sendable {
    case reply([UInt8])
    case refusal(RPCError)
}

/// The duty to answer one request exactly once. Dropped without an answer, it answers `failed` by itself, so that neither
/// the caller nor the broker waits for ever.
final class Answering: Sendable {
    private let isDone = Atomic<Bool>(false)
    private let give: @Sendable (Answer) -> Void

    init(_ give: @escaping @Sendable (Answer) -> Void) { self.give = give }

    deinit {
        if !isDone.load(ordering: .acquiring) { give(.refusal(RPCError(.failed, "the service gave no answer"))) }
    }

    /// A second answer is ignored.
    func callAsFunction(_ answer: Answer) {
        if isDone.exchange(true, ordering: .acquiringAndReleasing) { return }
        give(answer)
    }
}
