import Contracts
import ServiceKit

/// Removes bindings that have ended and that no REGISTER has cleared away; every instance does, in turns that do not matter.
struct SweepBindings: Sendable {
    private static let pause = Duration.seconds(30)
    private static let batch = 200

    let store: Store
    let copy: BindingCopy
    let outbox: ServiceKit.Outbox
    let runtime: Runtime

    /// Until cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                // A whole batch that changed nothing would be found again at once.
                while try await sweepSome() {}
            } catch { runtime.logger.debug("expired bindings stay for now: \(error)") }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Whether there is more to do at once.
    private func sweepSome() async throws -> Bool {
        // One clock says what has ended here and in the statement.
        let now = runtime.timestamp().milliseconds
        let stale = try await store.withExpiredBindings(now: now, limit: Self.batch)
        var hasChanged = false
        for (customer, number) in stale {
            let registration = try await store.changeBindings(customer: customer, number: number) { set in
                BindingSet.Change(expired: set.removeExpired(now: now))
            }
            guard let registration else { continue }
            hasChanged = hasChanged || registration.hasNews
            await copy.save(registration, customer: customer, number: number)
        }
        if hasChanged { outbox.wake() }
        return hasChanged && stale.count == Self.batch
    }
}
