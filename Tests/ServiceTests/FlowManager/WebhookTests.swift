import Flow
import Testing

@testable import FlowManager

@Suite("Webhooks that nobody waits for: what follows from an answer")
struct WebhookTests {
    private func webhook(attempts: Int = 1, age: Int = 0) -> Webhook {
        Webhook(
            id: "msg_run_1_1", customerID: "cust_1", runID: "run_1", referenceID: "call_1",
            request: FlowRequest(url: "https://a.example/hook", method: .post, timeout: 5000, retries: 2, number: 1), attempts: attempts, age: age)
    }

    @Test("2xx is the end of it; no answer, 429 and 5xx are tried again, later and later, ten minutes at most; anything else is given up at once")
    func ends() {
        func end(_ answer: FlowAnswer, attempts: Int = 1, age: Int = 0) -> Webhook.End { webhook(attempts: attempts, age: age).end(after: answer, patience: 86_400_000, spread: 0.5) }
        #expect(end(FlowAnswer(status: 204)) == .taken)
        #expect((1...4).map { end(FlowAnswer(status: 503), attempts: $0) } == [.again(1000), .again(2000), .again(4000), .again(8000)])
        #expect(end(FlowAnswer(failure: "timeout"), attempts: 1_000_000) == .again(600_000))
        #expect(end(FlowAnswer(status: 429)) == .again(1000) && end(FlowAnswer(failure: "unreachable")) == .again(1000))
        #expect(end(FlowAnswer(status: 410)) == .dead("http_410") && end(FlowAnswer(status: 302)) == .dead("http_302"))
        #expect(end(FlowAnswer(failure: "address_refused")) == .dead("address_refused"))
    }

    @Test("It is tried for as long as the setting says; those that failed together do not come back together")
    func patience() {
        #expect(webhook(age: 8000).end(after: FlowAnswer(status: 500), patience: 9000, spread: 0) == .again(750))
        #expect(webhook(age: 8000).end(after: FlowAnswer(status: 500), patience: 9000, spread: 1) == .again(1250))
        #expect(webhook(age: 8001).end(after: FlowAnswer(status: 500), patience: 9000, spread: 0) == .dead("http_500"))
    }

    @Test("What is kept of it is what is sent")
    func stored() throws {
        let request = FlowRequest(
            url: "https://a.example/hook?x=1", method: .put, headers: ["x-a": "ä"], body: "{\"a\": 1}", contentType: "application/json", timeout: 5000, retries: 2, number: 7)
        #expect(FlowRequest(json: try JSONValue(json: request.json.jsonText)) == request)
        #expect(FlowRequest(json: ["url": "https://a.example"]) == nil)
    }
}
