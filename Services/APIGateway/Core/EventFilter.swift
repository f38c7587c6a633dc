import Contracts

/// Which events somebody sees.
struct EventFilter: Sendable, Equatable {
    /// Nil for an operator: everybody's.
    var customerID: String?
    var pattern: EventPattern
    var resourceID: String?

    init(customerID: String?, pattern: EventPattern = .everything) { (self.customerID, self.pattern) = (customerID, pattern) }

    func matches(_ event: Event) -> Bool {
        (customerID == nil || customerID == event.customerID) && (resourceID == nil || resourceID == event.resourceID)
            && pattern.matches(event.type)
    }
}

/// What a stream shows and from where.
struct EventSubscription: Sendable, Equatable {
    var filter: EventFilter
    /// The number of the last event that is known.
    var after: Int64
}
