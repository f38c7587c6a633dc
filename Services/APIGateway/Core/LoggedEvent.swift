import Contracts
import Flow

/// An event with its place in the log.
struct LoggedEvent: Sendable, Equatable {
    let cursor: Int64
    /// Its data with a null for every member without a value, as a GET of the resource has it.
    let event: Event

    init(cursor: Int64, event: Event) {
        var event = event
        event.data = ResourceSchema.completed(event.data, ofEvent: event.type)
        (self.cursor, self.event) = (cursor, event)
    }

    /// As the API shows it.
    var json: JSONValue {
        [
            "id": .string(event.id), "type": .string(event.type), "timestamp": .string(event.timestamp.description),
            "customer_id": .string(event.customerID), "resource_id": .string(event.resourceID),
            "sequence": .integer(event.sequence), "data": event.data, "cursor": .string(PageCursor(after: cursor).text),
        ]
    }
}
