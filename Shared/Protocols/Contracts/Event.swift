public import Flow

/// Something that happened to a resource (DESIGN §9): what webhooks, sockets and other services are told.
///
/// At least once, in order per resource: `sequence` counts a resource's events from 1 without a gap.
public struct Event: Codable, Sendable, Equatable {
    public var id: String
    /// `<resource>.<what happened>`, also the routing key on the bus.
    public var type: String
    public var timestamp: Timestamp
    public var customerID: String
    public var resourceID: String
    public var sequence: Int64
    /// The resource as it was after the event.
    public var data: JSONValue

    public init(
        id: String, type: String, timestamp: Timestamp, customerID: String, resourceID: String, sequence: Int64, data: JSONValue
    ) {
        (self.id, self.type, self.timestamp, self.customerID) = (id, type, timestamp, customerID)
        (self.resourceID, self.sequence, self.data) = (resourceID, sequence, data)
    }

    private enum CodingKeys: String, CodingKey {
        case id, type, timestamp, sequence, data
        case customerID = "customer_id"
        case resourceID = "resource_id"
    }
}
