import Contracts
import Flow
import Testing

@testable import FlowManager

@Suite("What the API's questions come to is told by webhook where that was wanted")
struct GatherWebhookTests {
    private func event(_ gather: JSONValue) -> Event {
        Event(
            id: "evt_1", type: "call.gathered", timestamp: Timestamp(milliseconds: 1_764_000_000_123), customerID: "cust_1", resourceID: "call_1", sequence: 7,
            data: ["id": "call_1", "gather": gather])
    }

    @Test("Standard Webhooks 1.0: type, timestamp and data, under an id that is the same however often the event comes")
    func body() throws {
        let gather: JSONValue = ["id": "gather_1", "result": "completed", "digits": "12", "webhook_url": "https://example.com/hook"]
        let webhook = try #require(GatherWebhooks.webhook(of: event(gather)))
        #expect(webhook == GatherWebhooks.webhook(of: event(gather)))
        #expect(webhook.id == "msg_gather_1" && webhook.customerID == "cust_1" && webhook.referenceID == "call_1")
        #expect(webhook.request.url == "https://example.com/hook" && webhook.request.method == .post && webhook.request.contentType == "application/json")
        let body = try JSONValue(json: webhook.request.body ?? "")
        #expect(body["type"] == "call.gathered" && body["timestamp"] == "2025-11-24T16:00:00.123Z" && body["data"]?["gather"]?["digits"] == "12")
    }

    @Test("Where nobody is named nobody is told")
    func nobody() {
        #expect(GatherWebhooks.webhook(of: event(["id": "gather_1", "result": "completed"])) == nil)
        #expect(GatherWebhooks.webhook(of: event(.null)) == nil)
    }
}
