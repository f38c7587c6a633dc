import SIP
import Testing

@Suite("Message: the index pass and what is decoded from it")
struct MessageParsingTests {
    @Test("RFC 3261 §7: an INVITE is taken apart")
    func invite() throws {
        let message = try parsed(SIPTests.invite)
        #expect(message.method == .invite)
        #expect(message.requestURI?.user == "bob")
        #expect(message.topmostVia?.branch == "z9hG4bKnashds8")
        #expect(message.topmostVia?.responseAddress == caller)
        #expect(message.from?.tag == "1928301774")
        #expect(message.from?.display == "Alice")
        #expect(message.to?.tag == nil)
        #expect(message.cseq == CSeq(314_159, .invite))
        #expect(message.maxForwards == 70)
        #expect(message.contact?.uri.port == 5070)
        #expect(message.contentType == "application/sdp")
        #expect(text(message.body) == "v=0\r")
        #expect(message.requestDefect == nil)
    }

    @Test("RFC 3261 §7.3.3: compact forms, any case and folded lines mean the same")
    func compactForms() throws {
        let message = try parsed(
            """
            SIP/2.0 200 All is well
            v: SIP/2.0/TCP a.example;branch=z9hG4bK1,
             SIP/2.0/UDP b.example:5062;branch=z9hG4bK2
            F: <sip:a@x>;tag=1
            t: "B, \\"Bob\\"" <sip:b@x;transport=tcp>;tag=2
            I: abc
            cSEQ: 7
              BYE
            k: 100rel, timer
            m: <sip:a@1.2.3.4>, "C" <sip:c@1.2.3.4>;expires=60
            l: 0


            """)
        #expect(message.status == 200)
        #expect(message.reason == "All is well")
        #expect(message.vias?.map(\.sentBy) == ["a.example", "b.example:5062"])
        #expect(message.to?.display == "B, \"Bob\"")
        #expect(message.to?.tag == "2")
        #expect(message.cseq == CSeq(7, .bye))
        #expect(message.supported == ["100rel", "timer"])
        guard case .list(let contacts) = message.contacts else { throw Failure() }
        #expect(contacts.map(\.parameters["expires"]) == [nil, "60"])
        #expect(message.isUsableResponse)
    }

    struct Failure: Error {}

    @Test("§18.3: bytes beyond Content-Length are dropped, fewer are an error, without it the rest is the body")
    func contentLength() throws {
        let head = "OPTIONS sip:x SIP/2.0\n"
        #expect(text(try parsed(head + "Content-Length: 2\n\nabcd").body) == "ab")
        #expect(text(try parsed(head + "\nabcd").body) == "abcd")
        #expect(throws: ParseError.truncatedBody) { try parsed(head + "l: 5\n\nabcd") }
        #expect(throws: ParseError.badContentLength) { try parsed(head + "l: -1\n\nabcd") }
        #expect(throws: ParseError.badContentLength) { try parsed(head + "l: 99999999999999999999\n\nabcd") }
        #expect(throws: ParseError.conflictingContentLength) { try parsed(head + "l: 1\nContent-Length: 4\n\nabcd") }
    }

    @Test(
        "Lines that are no SIP are refused",
        arguments: [
            ("", ParseError.empty), ("\n\n", .empty), ("INVITE sip:x SIP/2.0", .unterminatedHeaders),
            ("INVITE sip:x SIP/2.0\n", .unterminatedHeaders), ("INVITE  sip:x SIP/2.0\n\n", .badStartLine),
            ("INVITE sip:x SIP/2.0 \n\n", .badStartLine), ("INVITE sip:x\n\n", .badStartLine),
            ("INVITE\tsip:x SIP/2.0\n\n", .badStartLine), ("IN(VITE sip:x SIP/2.0\n\n", .badStartLine),
            ("INVITE sip:a b SIP/2.0\n\n", .badStartLine),
            ("SIP/2.0 20 OK\n\n", .badStartLine), ("SIP/2.0\t200 OK\n\n", .badStartLine), ("SIP/2.0\n\n", .badStartLine),
            ("SIP/2.0 4294967301 OK\n\n", .badStartLine),
            ("GET / HTTP/1.1\n\n", .badStartLine), ("INVITE sip:x SIP/2.0\nno colon\n\n", .badHeaderLine),
            ("INVITE sip:x SIP/2.0\n: v\n\n", .badHeaderLine), ("INVITE sip:x SIP/2.0\nA B: v\n\n", .badHeaderLine),
            ("INVITE sip:x SIP/2.0\nA: \u{0}\n\n", .controlByte), ("INVITE sip:x SIP/2.0\nA: \u{7f}\n\n", .controlByte),
        ])
    func refused(input: String, error: ParseError) {
        #expect(throws: error) { try parsed(input) }
    }

    @Test("Bare CR and bare LF are not line ends")
    func bareLineEnds() {
        #expect(throws: ParseError.controlByte) { try Message.parse(Array("OPTIONS sip:x SIP/2.0\nA: b\n\n".utf8)) }
        #expect(throws: ParseError.controlByte) { try Message.parse(Array("OPTIONS sip:x SIP/2.0\r\nA: b\rc\r\n\r\n".utf8)) }
    }

    @Test("Every bound holds")
    func bounds() {
        let head = "OPTIONS sip:x SIP/2.0\n"
        #expect(throws: ParseError.tooLong) { try parsed(head + "\n" + String(repeating: "x", count: 70_000)) }
        #expect(throws: ParseError.lineTooLong) { try parsed(head + "A: " + String(repeating: "x", count: 9_000) + "\n\n") }
        let folded = "A: b" + String(repeating: "\n " + String(repeating: "x", count: 1_000), count: 9)
        #expect(throws: ParseError.lineTooLong) { try parsed(head + folded + "\n\n") }
        #expect(throws: ParseError.tooManyHeaders) { try parsed(head + String(repeating: "A: b\n", count: Limits().headerCount + 1) + "\n") }
        #expect(throws: ParseError.tooManyVias) {
            try parsed(head + String(repeating: "Via: SIP/2.0/UDP a;branch=z9hG4bK1\n", count: 72) + "\n")
        }
    }

    @Test("A message cut off anywhere is an error or a shorter message, never a trap; so is one with any byte changed")
    func truncatedAndDamaged() throws {
        let whole = wire(SIPTests.invite)
        for count in whole.indices { exercise(Array(whole[..<count])) }
        for index in whole.indices {
            for value: UInt8 in [0, 9, 13, 10, 32, 34, 44, 58, 59, 60, 62, 64, 92, 255] {
                var damaged = whole
                damaged[index] = value
                exercise(damaged)
            }
        }
    }

    /// Decodes everything there is to decode.
    private func exercise(_ bytes: [UInt8]) {
        guard let message = try? Message.parse(bytes) else { return }
        _ = (message.requestDefect, message.isUsableResponse, message.vias, message.contacts, message.routes, message.challenges)
        _ = (message.expires, message.allowed, message.required, message.callIDHash, message.body, message.description)
        _ = (message.credentials(.authorization, realm: "x"), message.requestURI?.isEquivalent(to: URI(host: "x")))
        _ = (TransactionKey(request: message), TransactionKey(response: message), message.stamped(source: callee))
        var forwarding = Forwarding(hop: hop(message), stripping: .assertions)
        (forwarding.source, forwarding.maxForwards, forwarding.poppedRoutes) = (callee, 1, 1)
        _ = forwarding.bytes(of: message.view, key: proxyKey)
        _ = Dialog(calleeOf: message, localTag: "t")
    }

    @Test("Every header name is recognised in any case, and nothing else is")
    func headerNames() throws {
        for name in HeaderName.allCases where name != .other && name != .contentLength {
            for text in [name.text, name.text.uppercased(), name.text.lowercased()] {
                #expect(try parsed("OPTIONS sip:x SIP/2.0\n\(text) : 1\n\n").first(name) != nil, "\(text)")
            }
            for text in [name.text + "x", "x" + name.text, String(name.text.dropLast())] where text.utf8.count > 1 {
                #expect(try parsed("OPTIONS sip:x SIP/2.0\n\(text): 1\n\n").first(name) == nil, "\(text)")
            }
        }
        #expect(try parsed("OPTIONS sip:x SIP/2.0\n\(String(repeating: "a", count: 40)): 1\n\n").fields.first?.name == .other)
    }

    @Test("A datagram of line ends is a keep-alive")
    func keepAlive() {
        #expect(Message.isKeepAlive(wire("\n\n")))
        #expect(!Message.isKeepAlive(wire("\nx")))
    }

    @Test("Contact: * stands alone")
    func star() throws {
        let head = "REGISTER sip:x SIP/2.0\n"
        #expect(try parsed(head + "m: *\n\n").contacts == .star)
        #expect(try parsed(head + "m: *\nm: <sip:a@b>\n\n").contacts == nil)
        #expect(try parsed(head + "\n").contacts == .list([]))
    }
}
