internal import Contracts
internal import Flow

extension Announcement {
    /// As it travels: a transient event of no customer.
    func event(id: String, timestamp: Timestamp) -> Event {
        let data: JSONValue = .object([
            "service": .string(service.rawValue), "instance": .string(instance), "incarnation": .string(incarnation),
            "addresses": .object(addresses.mapValues { .string($0) }), "pool": .string(pool), "load": .number(load),
            "draining": .bool(draining),
        ])
        return Event(
            id: id, type: Self.typePrefix + service.rawValue, timestamp: timestamp, customerID: "", resourceID: instance, sequence: 0,
            data: data)
    }

    /// Nil when the event is no announcement, or of a version that lacks what this one needs.
    init?(_ event: Event) {
        guard event.type.hasPrefix(Self.typePrefix), let name = event.data["service"]?.string, let service = ServiceName(rawValue: name),
            let instance = event.data["instance"]?.string, let incarnation = event.data["incarnation"]?.string
        else { return nil }
        self.init(
            service: service, instance: instance, incarnation: incarnation,
            addresses: event.data["addresses"]?.object?.compactMapValues(\.string) ?? [:], pool: event.data["pool"]?.string ?? "all",
            load: event.data["load"]?.double ?? 0, draining: event.data["draining"]?.bool ?? false)
    }
}
