import Contracts
import Flow
import ServiceKit

/// Tells by webhook what the API's questions on calls have come to, where that was asked for: the event that the call's server publishes becomes a
/// row, once however often the event comes, and is delivered like the webhooks of flows.
struct GatherWebhooks: Sendable {
    static let queue = "flowmanager.gathered"
    static let pattern = "call.gathered"

    private static let timeout = 5000

    let store: Store

    func take(_ events: [Event]) async throws {
        for event in events {
            if let webhook = Self.webhook(of: event) { try await store.insert(webhook) }
        }
    }

    /// Nil for what nobody wants to be told of. The body is that of Standard Webhooks 1.0: the event, as everybody else sees it.
    static func webhook(of event: Event) -> Webhook? {
        guard let gather = event.data["gather"], let id = gather["id"]?.string, let url = gather["webhook_url"]?.string else { return nil }
        let body: JSONValue = ["type": .string(event.type), "timestamp": .string(event.timestamp.description), "data": event.data]
        let request = FlowRequest(
            url: url, method: .post, body: body.jsonText, contentType: "application/json", timeout: timeout, retries: 0, number: 0)
        return Webhook(id: "msg_\(id)", customerID: event.customerID, runID: "", referenceID: event.resourceID, request: request)
    }
}
