/// Several events as one message: RabbitMQ writes an entry of its Raft log for each message of a quorum queue, however little is in it.
///
/// The body is their texts, a line each (NDJSON). The message goes to every queue that one of their types is bound to, once; its readers skip
/// what others are bound to.
enum EventBatch {
    /// Of body: one frame of AMQP, and a measure for a prefetch, which counts messages.
    private static let mostBytes = 65_536
    /// Bounds the list of their types, and how much is read one by one when one of them cannot be used.
    static let mostEvents = 100
    private static let lineBreak = UInt8(ascii: "\n")

    /// In the order given. An event larger than a batch may be goes alone, as if it were the only one.
    static func messages(of events: [WrittenEvent], sender: String, most: Int = mostEvents) -> [Message] {
        cut(events, most).map { events in
            let first = events[events.startIndex]
            var message = Message(first, sender: sender)
            guard events.count > 1 else { return message }
            message.properties.type = Properties.Kind.events
            // They may be of several.
            message.properties.customer = nil
            message.furtherKeys = Set(events.map(\.type)).subtracting([first.type]).sorted()
            for event in events.dropFirst() {
                message.body.append(lineBreak)
                message.body += event.text
            }
            return message
        }
    }

    static func texts(_ body: [UInt8]) -> [[UInt8]] { body.split(separator: lineBreak).map { Array($0) } }

    /// None of the cuts is empty.
    private static func cut(_ events: [WrittenEvent], _ most: Int) -> [ArraySlice<WrittenEvent>] {
        var cuts: [ArraySlice<WrittenEvent>] = []
        var (start, bytes) = (0, 0)
        for (index, event) in events.enumerated() {
            // Neither `JSONText` nor a jsonb of PostgreSQL writes one; whose text has one nevertheless goes alone, too.
            let size = event.text.contains(lineBreak) ? mostBytes : event.text.count + 1
            if index > start, bytes + size > mostBytes || index - start >= most {
                cuts.append(events[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += size
        }
        if start < events.count { cuts.append(events[start...]) }
        return cuts
    }
}

extension Message {
    /// An event by itself, to whoever reads its type.
    init(_ event: WrittenEvent, sender: String, isPersistent: Bool = true) {
        let properties = Properties(
            type: event.type, messageID: event.id, sender: sender, customer: event.customerID, isPersistent: isPersistent)
        self.init(exchange: Exchange.events, routingKey: event.type, properties: properties, body: event.text)
    }
}

extension Properties {
    var isBatch: Bool { type == Kind.events }
}

extension Arrival {
    /// Of its events: one, or those of a batch.
    var texts: [[UInt8]] { properties.isBatch ? EventBatch.texts(body) : [body] }
}
