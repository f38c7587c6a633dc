import Contracts
import Flow

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

/// An event with its place in the log.
struct LoggedEvent: Sendable, Equatable {
    let cursor: Int64
    let event: Event

    /// As the API shows it.
    var json: JSONValue {
        [
            "id": .string(event.id), "type": .string(event.type), "timestamp": .string(event.timestamp.description),
            "customer_id": .string(event.customerID), "resource_id": .string(event.resourceID),
            "sequence": .integer(event.sequence), "data": event.data, "cursor": .string(PageCursor(after: cursor).text),
        ]
    }
}

/// What a stream shows and from where.
struct EventSubscription: Sendable, Equatable {
    var filter: EventFilter
    /// The number of the last event that is known.
    var after: Int64
}
