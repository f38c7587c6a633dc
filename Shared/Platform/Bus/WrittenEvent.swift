public import Contracts
internal import JSONCoding

/// An event as its JSON text: what is only passed on is not taken apart and put together again.
public struct WrittenEvent: Sendable {
    private struct Head: Codable {
        var id: String
        var type: String
        var timestamp: Timestamp
        var customerID: String
        var resourceID: String
        var sequence: Int64

        private enum CodingKeys: String, CodingKey {
            case id, type, timestamp, sequence
            case customerID = "customer_id"
            case resourceID = "resource_id"
        }
    }

    public let id: String
    public let type: String
    public let customerID: String
    /// One JSON object, of the shape of `Event`.
    public let text: [UInt8]

    /// Throws `EncodingError` for a number in it that is not finite.
    public init(_ event: Event) throws {
        (id, type, customerID) = (event.id, event.type, event.customerID)
        text = try JSONText.encode(event)
    }

    /// Throws `DecodingError` for what is no event.
    public init(text: [UInt8]) throws {
        let head = try JSONText.decode(Head.self, from: text)
        (id, type, customerID) = (head.id, head.type, head.customerID)
        self.text = text
    }

    /// `data`: JSON texts of objects, whose members are the event's; of two members with one name the later counts.
    public init(
        id: String, type: String, timestamp: Timestamp, customerID: String, resourceID: String, sequence: Int64, data: [UInt8], _ more: [UInt8]? = nil
    ) throws {
        (self.id, self.type, self.customerID) = (id, type, customerID)
        let head = Head(id: id, type: type, timestamp: timestamp, customerID: customerID, resourceID: resourceID, sequence: sequence)
        var text = try JSONText.encode(head)
        text.reserveCapacity(text.count + data.count + (more?.count ?? 0) + 16)
        text.removeLast()
        text += Array(#","data":"#.utf8)
        text += data
        // A record and a detail both have members.
        if let more, more.count > 2, data.count > 2 {
            text[text.count - 1] = UInt8(ascii: ",")
            text += more.dropFirst()
        }
        text.append(UInt8(ascii: "}"))
        self.text = text
    }

    public func event() throws -> Event { try JSONText.decode(Event.self, from: text) }
}
