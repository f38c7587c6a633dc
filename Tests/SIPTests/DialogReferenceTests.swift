import SIP
import Testing

@Suite("Headers that name other dialogs, causes and wishes") struct DialogReferenceTests {
    @Test("RFC 3891 §6.1: Call-ID, both tags, early-only")
    func replaces() throws {
        let reference = try #require(DialogReference("98asjd8@test.com;to-tag=12345;from-tag=54321;early-only"))
        #expect(reference.callID == "98asjd8@test.com" && reference.toTag == "12345" && reference.fromTag == "54321" && reference.isEarlyOnly)
        #expect(DialogReference("a ; from-tag=1 ; to-tag=2")?.isEarlyOnly == false)
        for text in ["", "a", "a;to-tag=1", "a;from-tag=1", "a;to-tag=1;to-tag=2;from-tag=3", "a;to-tag=;from-tag=1", ";to-tag=1;from-tag=2"] {
            #expect(DialogReference(text) == nil, "\(text)")
        }
    }

    @Test("RFC 3891 §3: the tags are those of whoever receives it")
    func matching() throws {
        let request = try parsed(invite)
        let dialog = try #require(Dialog(calleeOf: request, localTag: "ours"))
        #expect(try #require(DialogReference("a84b4c76e66710;to-tag=ours;from-tag=1928301774")).names(dialog))
        #expect(!(try #require(DialogReference("a84b4c76e66710;to-tag=1928301774;from-tag=ours")).names(dialog)))
        #expect(!(try #require(DialogReference("other;to-tag=ours;from-tag=1928301774")).names(dialog)))
    }

    @Test("RFC 3261 §19.1.1: a header field of a URI, escapes resolved")
    func uriHeader() throws {
        let uri = try #require(URI("sip:1003@demo.localhost?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x"))
        #expect(uri.header("replaces") == "a@b;to-tag=1;from-tag=2" && uri.header("subject") == "x" && uri.header("to") == nil)
        #expect(try #require(URI("sip:a@b?Replaces=1&Replaces=2")).header("replaces") == nil)
        #expect(try #require(URI("sip:a@b")).header("replaces") == nil)
    }

    private func message(_ header: String) throws -> Message {
        try parsed(
            """
            BYE sip:bob@127.0.0.1 SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa
            To: <sip:bob@127.0.0.1>;tag=b
            From: <sip:alice@127.0.0.1>;tag=a
            Call-ID: c
            CSeq: 2 BYE
            \(header)
            Content-Length: 0


            """)
    }

    @Test(
        "RFC 3326 §2: the Q.850 cause, wherever it stands",
        arguments: [
            ("Reason: Q.850;cause=16;text=\"Terminated\"", 16), ("Reason: SIP;cause=200, q.850 ; cause = 17", 17),
            ("Reason: SIP;cause=600\nReason: Q.850;cause=31", 31), ("Reason: SIP;cause=200", nil), ("Reason: Q.850;cause=0", nil),
            ("Reason: Q.850;cause=128", nil), ("Reason: Q.850", nil), ("Subject: x", nil),
        ] as [(String, Int?)])
    func causes(_ example: (header: String, cause: Int?)) throws { #expect(try message(example.header).releaseCause == example.cause) }

    @Test("RFC 3323 §4.2: who wants to be unknown", arguments: [("id", true), ("user;critical", true), ("header, session", true), ("none", false), ("session", false)])
    func privacy(_ example: (value: String, asks: Bool)) throws { #expect(try message("Privacy: \(example.value)").asksForPrivacy == example.asks) }
}
