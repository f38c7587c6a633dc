import Flow
import Foundation
import Phone
import SIP
import Suite
import Testing

@Suite("A call for help by its name (RFC 5031)", .timeLimit(.minutes(1)))
struct EmergencyCallTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("urn:service:sos, what stands below it and tel:112 reach whom the customer's 112 reaches; nobody there is 404, another service 416")
    func service() async throws {
        let agent = try OutsideAgent(suite, try await suite.makeAccount(), at: "127.0.0.81")
        let sound = "v=0\r\no=- 1 1 IN IP4 127.0.0.81\r\ns=-\r\nc=IN IP4 127.0.0.81\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        func call(_ service: String) async throws -> Int? {
            try await agent.request(
                "INVITE", service, callID: "help-\(UUID().uuidString)", ["Content-Type: application/sdp"], body: sound).status
        }
        let unknown = try await call("urn:service:sos")
        #expect(unknown == 404, "nobody has 112: \(unknown ?? 0)")
        let flow = try await suite.create("flows", ["name": "help", "actions": [["type": "answer"], ["type": "hangup"]]])
        let help = try await suite.create(
            "extensions", ["number": "112", "password": "a-long-secret", "name": "Help", "flow_id": flow["id"] ?? .null])
        let names = ["urn:service:sos", "urn:service:sos.fire", "sip:112@\(suite.domain)", "tel:112", "tel:1-12;phone-context=\(suite.domain)"]
        for service in names {
            let status = try await call(service)
            #expect(status == 200, "\(service): \(status ?? 0)")
        }
        let other = try await call("urn:service:counseling")
        #expect(other == 416, "another service: \(other ?? 0)")
        let id = try #require(help["id"]?.string)
        #expect(try await suite.request("DELETE", "/v1/extensions/\(id)").status == 204)
    }
}
