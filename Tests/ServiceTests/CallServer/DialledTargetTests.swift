import Flow
import Testing

@testable import CallServer

@Suite("Whom a program or a flow names to be called")
struct DialledTargetTests {
    @Test("a number, and the number and domain of a SIP URI; an address in the place of the domain means the caller's own (DESIGN §10)", arguments: [
        ("1002", "1002", nil), ("sip:1002@Demo.Localhost", "1002", "demo.localhost"), ("sip:1002@demo.localhost:5060", "1002", "demo.localhost"),
        ("sip:1002@127.0.0.1", "1002", nil), ("sips:1002@192.0.2.1:5061", "1002", nil), ("sip:1002@[::1]:5060", "1002", nil),
    ] as [(String, String, String?)])
    func targets(text: String, number: String, domain: String?) throws {
        let target = try #require(DialledTarget(text))
        #expect(target.number == number && target.domain == domain)
        #expect(DialledTarget.number(text) == number)
    }

    @Test("what names nobody is no target", arguments: ["", "sip:demo.localhost", "1002@demo.localhost", "sip:@demo.localhost", "sip:1002@"])
    func nobody(text: String) {
        #expect(DialledTarget(text) == nil)
        #expect(DialledTarget.number(text) == text)
    }

    @Test("a flow reaches its customer's domain by name, by any address and by any port, and nobody else's", arguments: [
        ("sip:1002@demo.localhost", "1002"), ("sip:1002@DEMO.localhost:5060", "1002"), ("1002@127.0.0.1", "1002"),
        ("sip:1002@127.0.0.1:5060", "1002"), ("sip:1002@[::1]", "1002"), ("sip:1002", "1002"), ("sip:1002@demo.localhost;gr=urn:x", "1002;gr=urn:x"),
        ("sip:1002@elsewhere.example", nil), ("sip:1002@a@demo.localhost", nil), ("sip:1002@demo.localhost:x", nil),
    ] as [(String, String?)])
    func flows(text: String, number: String?) {
        #expect(Leg.dialledNumber(Address(kind: .sip, target: text), "demo.localhost") == number)
    }
}
