import Contracts
import Deadlines
import Flow
import Threads

/// `/v1/calls/{id}/actions/gather`: a question beside what the flow does. What came of it is an event, and, as wanted, the answer that is held until
/// then, or a webhook.
enum CallGather {
    /// Whoever holds answers for longer may say so; what is beyond the gateway's own bound is waited for no longer than that.
    static let query: [Route.Parameter] = [
        .init("wait", .integer(0...300), "seconds that the answer is held for what comes of it, within `TANDEM_API_WAIT_SECONDS`")
    ]

    static let body: [Schema.Field] = [
        .optional("option", .anything, "Of the flow action `gather`."),
        .optional("webhook_url", .text(.line(1...2048)), "http(s): is told what came of it, signed, until it has answered 2xx."),
    ]

    static let resource: [Schema.Field] = [
        .required("gather_id", .text(.identifier), "As in the event `call.gathered`."),
        .optional("gather", .anything, "With `wait`: what came of it, as in the event; absent when that is not known yet."),
    ]

    private static let event = "call.gathered"

    static func perform(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let command = ControlCall.Change.gather(id: request.seed.identifier("gather"), try action(request), webhook: try webhook(request))
        guard case .gather(let id, _, _) = command, let end = end(gateway, request), gateway.feed.streams.enter() else {
            return try await ask(gateway, request, command)
        }
        defer { gateway.feed.streams.leave() }
        var filter = EventFilter(customerID: request.customer, pattern: EventPattern(event) ?? .everything)
        filter.resourceID = request.id
        // From before the question on, so that no answer is missed.
        var subscription = EventSubscription(filter: filter, after: try await gateway.store.lastEvent())
        let response = try await ask(gateway, request, command)
        while MonotonicClock.now() < end, !Task.isCancelled {
            // Returns every second at least.
            guard let batch = try await gateway.feed.next(subscription) else { break }
            subscription.after = batch.upTo
            if let found = batch.events.lazy.compactMap({ $0.event.data["gather"] }).first(where: { $0["id"] == .string(id) }) {
                return answer(id, found)
            }
        }
        return response
    }

    private static func ask(_ gateway: Gateway, _ request: APIRequest, _ change: ControlCall.Change) async throws -> APIResponse {
        _ = try await gateway.ask(ControlCall(customerID: request.customer, id: request.id, change: change), for: request)
        guard case .gather(let id, _, _) = change else { preconditionFailure("only a gather is asked here") }
        return answer(id, nil)
    }

    private static func answer(_ id: String, _ gather: JSONValue?) -> APIResponse {
        var members: [String: JSONValue] = ["gather_id": .string(id)]
        members["gather"] = gather
        return APIResponse(status: 200, body: JSONValue.object(members).json)
    }

    /// Until when the answer is held; nil: it is given at once.
    private static func end(_ gateway: Gateway, _ request: APIRequest) -> Instant? {
        let seconds = min(request.query.integer("wait") ?? 0, gateway.longestWait)
        guard seconds > 0 else { return nil }
        // Whoever repeats a request with the same key later than that is the first again.
        let most = request.idempotencyKey == nil ? seconds : min(seconds, Idempotency.lockSeconds - 5)
        return MonotonicClock.now() + .seconds(most)
    }

    private static func action(_ request: APIRequest) throws -> Action {
        let action: JSONValue = ["type": "gather", "option": request.fields["option"] ?? [:]]
        guard let gather = try ActionList.read([action]).get().first else {
            throw ProblemDocument.invalid("/option", "invalid_value", "must be the option of a gather")
        }
        // What comes of it is told by an event, which hides nothing from whoever asks.
        if gather.kind.hidesKeys { throw ProblemDocument.invalid("/option/keys", "invalid_value", "the keys of a question of the API's are shown") }
        return gather
    }

    private static func webhook(_ request: APIRequest) throws(ProblemDocument) -> String? {
        guard let url = request.fields.optionalText("webhook_url") else { return nil }
        guard url.lowercased().hasPrefix("http://") || url.lowercased().hasPrefix("https://") else {
            throw .invalid("/webhook_url", "invalid_value", "must be an http or https address")
        }
        return url
    }
}
