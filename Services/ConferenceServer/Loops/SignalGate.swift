import Synchronization

/// What happens in rooms before the bus is there: a process that has taken rooms over mixes at once, and connects then.
final class SignalGate: Sendable {
    private static let limit = 10_000

    /// Nil: open.
    private let waiting = Mutex<[MixerEvent]?>([])

    /// False when it waits.
    func passes(_ event: MixerEvent) -> Bool {
        waiting.withLock { waiting in
            guard let count = waiting?.count else { return true }
            if count < Self.limit { waiting?.append(event) }
            return false
        }
    }

    /// Nothing waits from now on; what has waited until now.
    func open() -> [MixerEvent] { waiting.withLock { exchange(&$0, with: nil) ?? [] } }
}
