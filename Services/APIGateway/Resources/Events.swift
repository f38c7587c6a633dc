import Contracts
import Flow

/// `/v1/events`: what has happened, as a log to page through and as a stream.
enum Events {
    static let streamPath = "/v1/events/stream"

    private static let types = [
        Route.Parameter("types", .text(.line(1...512)), "`call.*`, `call.answered`, several with commas"),
        Route.Parameter("type", .text(.line(1...512)), "the same"),
    ]
    private static let after = Route.Parameter("after", .text(.line(1...512)), "the `cursor` of the last event that is known")
    private static let customer = Route.Parameter("customer_id", .text(.identifier), "for an operator's key: only this customer's")

    static let routes: [Route] = [
        Route(
            .get, "/v1/events", "listEvents", "List events, newest first; with `after` the ones behind a cursor, oldest first",
            access: .anyone(.read("events")),
            query: Route.paging + types + [after, .init("resource_id", .text(.identifier)), customer],
            answer: .page(of: ResourceSchema.event.reference), perform: list),
        Route(
            .get, streamPath, "streamEvents", "A WebSocket that is sent each event as it happens, after `after` without a gap",
            access: .anyone(.read("events")), query: types + [after, customer], answer: .webSocket
        ) { gateway, request in
            // Whoever arrives here has asked for something wrong, or without a handshake, or there is no room for one more.
            _ = try await subscription(gateway, request)
            throw gateway.feed.hasRoom
                ? ProblemDocument(426, "upgrade_required", "A WebSocket handshake is needed", "Connect with a WebSocket client.")
                : ProblemDocument.unavailable("The event stream")
        },
        // Behind the stream, whose path would be an id.
        Route(
            .get, "/v1/events/{id}", "getEvent", "Read an event", access: .anyone(.read("events")), query: [customer],
            answer: .resource(ResourceSchema.event.reference)
        ) { gateway, request in
            guard let event = try await gateway.store.event(request.id, of: request.customerID) else { throw ProblemDocument.notFound("event") }
            return APIResponse(status: 200, body: event.json.json)
        },
    ]

    private static func list(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let limit = request.page.limit
        var filter = EventFilter(customerID: request.customerID, pattern: try pattern(request.query))
        filter.resourceID = request.query["resource_id"]
        let cursor = try request.query["cursor"].map { try position("cursor", $0) }
        let after = try request.query["after"].map { try position("after", $0) }
        // A cursor goes on in the direction in which its page went.
        let forward = cursor.map { $0.kind == .after } ?? (after != nil)
        let start = cursor?.event ?? after?.event
        let found = forward
            ? try await gateway.store.events(filter, after: start ?? 0, limit: limit + 1)
            : try await gateway.store.events(filter, before: start, limit: limit + 1)
        let shown = found.prefix(limit)
        let next = found.count > limit ? shown.last.map { PageCursor(forward ? .after : .older, String($0.cursor)).text } : nil
        return .page(shown.map(\.json), nextCursor: next)
    }

    /// What a stream shows, and where it begins: behind `after`, or with what happens from now on.
    static func subscription(_ gateway: Gateway, _ request: APIRequest) async throws -> EventSubscription {
        let filter = EventFilter(customerID: request.customerID, pattern: try pattern(request.query))
        if let after = try request.query["after"].map({ try position("after", $0) })?.event {
            return EventSubscription(filter: filter, after: after)
        }
        return EventSubscription(filter: filter, after: try await gateway.store.lastEvent())
    }

    static func pattern(_ query: Query) throws(ProblemDocument) -> EventPattern {
        let given = types.map(\.name).filter { query[$0] != nil }
        guard let name = given.first, let text = query[name] else { return .everything }
        guard given.count == 1 else {
            throw .invalidQuery([.init(parameter: "type", code: "excludes", detail: "is another name of types: give one of them")])
        }
        guard let pattern = EventPattern(text) else {
            throw .invalidQuery([
                .init(parameter: name, code: "invalid_value", detail: "must be event types such as call.answered or call.*")
            ])
        }
        return pattern
    }

    private static func position(_ name: String, _ text: String) throws -> PageCursor {
        guard let cursor = PageCursor(text), cursor.event != nil else {
            throw ProblemDocument.invalidQuery([.init(parameter: name, code: "invalid_cursor", detail: "is no cursor of events")])
        }
        return cursor
    }
}
