import SIP
import Testing

@testable import CallServer

@Suite("CallServer: header fields of an INVITE that flows may read") struct ArrivedHeadersTests {
    private func headers(_ lines: [String]) throws -> [String: String]? {
        let all =
            [
                "INVITE sip:1002@demo.localhost SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa", "From: <sip:1001@demo.localhost>;tag=phone",
                "To: <sip:1002@demo.localhost>", "Call-ID: c1", "CSeq: 1 INVITE", "Max-Forwards: 70",
            ] + lines + ["Content-Length: 0", "", ""]
        return ArrivedHeaders.of(try Message.parse(Array(all.joined(separator: "\r\n").utf8)))
    }

    @Test("custom fields and those that tell something are read, by names in lower case; nothing else is")
    func told() throws {
        let found = try headers(["X-Order-ID: 4711", "Subject: Ähre", "USER-AGENT: phone/1", "Organization: Tandem", "Authorization: Digest a=b"])
        #expect(found == ["x-order-id": "4711", "subject": "Ähre", "user-agent": "phone/1"])
        #expect(try headers(["Organization: Tandem"]) == nil)
        #expect(try headers([]) == nil)
    }

    @Test("fields of the platform's own are reserved, however they are spelt")
    func reserved() throws {
        #expect(try headers(["X-Tandem-Customer: cust_1", "x-tandem-flow: <sip:a@b>", "X-TANDEM-Trunk: t"]) == nil)
        #expect(try headers(["X-Tandems: 2"]) == ["x-tandems": "2"])
    }

    @Test("of several fields of a name the first counts, an empty one too")
    func repeated() throws {
        #expect(try headers(["X-A: first", "x-a: second", "X-B:", "X-B: full"]) == ["x-a": "first", "x-b": ""])
    }

    @Test("no more than sixteen are read, and none that is too long or has a control character")
    func bounded() throws {
        let many = try headers((0..<40).map { "X-\($0): \($0)" })
        #expect(many == Dictionary(uniqueKeysWithValues: (0..<16).map { ("x-\($0)", "\($0)") }))
        let (most, more) = (String(repeating: "a", count: 256), String(repeating: "a", count: 257))
        #expect(try headers(["X-Most: \(most)", "X-More: \(more)"]) == ["x-most": most])
        let name = "x-" + String(repeating: "n", count: 62)
        #expect(try headers(["\(name): a", "\(name)n: b"]) == [name: "a"])
        #expect(try headers(["X-Tab: a\tb", "X-Good: ok"]) == ["x-good": "ok"])
    }
}
