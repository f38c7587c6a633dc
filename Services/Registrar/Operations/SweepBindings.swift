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
                while try await sweepSome() == Self.batch {}
            } catch { runtime.logger.debug("expired bindings stay for now: \(error)") }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func sweepSome() async throws -> Int {
        let stale = try await store.withExpiredBindings(limit: Self.batch)
        let now = runtime.timestamp().milliseconds
        for (customer, number) in stale {
            let registration = try await store.changeBindings(customer: customer, number: number) { set in
                BindingSet.Change(removed: set.removeExpired(now: now))
            }
            if let registration { await copy.save(registration, customer: customer, number: number) }
        }
        if !stale.isEmpty { outbox.wake() }
        return stale.count
    }
}
