import Bus
import Contracts
import Logging

/// What is finished later when it could not be at once: the Registrar is told of customers, and what has grown old is swept.
struct Reconciliation: Sendable {
    let store: AccountStore
    let bus: Bus
    let retentionDays: Int
    let logger: Logger

    /// Tells the Registrar what it does not know yet of one customer; if it is away, the next round does.
    func tellRegistrar(of customerID: String) async {
        do {
            guard let pending = try await store.pendingCustomer(customerID) else { return }
            let context = CallContext(customer: customerID)
            switch pending.news {
            case .put:
                let command = PutDomain(customerID: customerID, domain: pending.domain, isSuspended: pending.status == .suspended)
                _ = try await bus.call(command, context: context)
            case .remove: _ = try await bus.call(RemoveDomain(customerID: customerID), context: context)
            }
            switch pending.news {
            case .put: try await store.settleCustomer(customerID, domain: pending.domain, status: pending.status)
            case .remove: try await store.removeCustomer(customerID)
            }
        } catch {
            logger.notice("the Registrar could not be told of a customer, which is tried again", metadata: [
                "customer": "\(customerID)", "reason": "\(error)",
            ])
        }
    }

    /// One round; what fails is done in the next.
    func round() async {
        do {
            for id in try await store.pendingCustomers() { await tellRegistrar(of: id) }
            try await store.sweepRequests(olderThanHours: Idempotency.retentionHours)
            try await store.sweepEvents(olderThanDays: retentionDays)
        } catch {
            logger.debug("a round of reconciliation failed: \(error)")
        }
    }
}
