import SIP
import Testing

@Suite("Header smuggling: one parser, one reading")
struct SmugglingTests {
    private func request(_ more: [UInt8]) -> [UInt8] {
        wire(
            """
            INVITE sip:user@example.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=13
            Call-ID: smuggled
            CSeq: 8 INVITE

            """) + more + wire("\nMax-Forwards: 7\n\n")
    }

    private static let refused: [(String, ParseError)] = [
        ("To\u{1}: <sip:x@y>", .controlByte), ("T\u{0}o: <sip:x@y>", .controlByte), ("X: a\u{0}b", .controlByte),
        ("X: a\nP-Asserted-Identity: <sip:boss@y>", .controlByte), ("X: a\rP-Asserted-Identity: <sip:boss@y>", .controlByte),
        ("X: a\n\nINVITE sip:z SIP/2.0", .controlByte), ("P-Asserted-Identity\u{a0}: <sip:boss@y>", .badHeaderLine),
        ("P-Asserted\u{2010}Identity: <sip:boss@y>", .badHeaderLine), ("P-Asserted Identity: <sip:boss@y>", .badHeaderLine),
        (": <sip:boss@y>", .badHeaderLine), ("P-Asserted-Identity", .badHeaderLine), ("P-Asserted-Identity\r\n : <sip:boss@y>", .badHeaderLine),
        ("Content-Length: 0\r\nl: 0", .conflictingContentLength), ("Content-Length: 0\r\nCONTENT-LENGTH : 4", .conflictingContentLength),
        ("Content-Length: +0", .badContentLength), ("Content-Length: 0x0", .badContentLength), ("Content-Length: 0, 0", .badContentLength),
        ("Content-Length: ", .badContentLength), ("Content-Length: 99999999999999999999999", .badContentLength),
        ("X: a\u{b}b", .controlByte), ("X: a\u{7f}b", .controlByte), ("X: a\\\u{0}b", .controlByte), ("X: \"a\\\\\u{7}\"", .controlByte),
        ("X: \"a\"\\\u{7}\"", .controlByte),
    ]

    @Test("what two parsers could read in two ways is no message", arguments: refused)
    func ambiguous(line: String, error: ParseError) {
        #expect(throws: error) { try Message.parse(request(Array(line.utf8))) }
    }

    @Test("a blank before the colon, a fold or another case do not hide a header from the proxy that strips it")
    func disguises() throws {
        let spellings = [
            "P-Asserted-Identity: <sip:boss@y>", "p-asserted-identity : <sip:boss@y>", "P-ASSERTED-IDENTITY\t:\r\n <sip:boss@y>",
            "P-Asserted-identity:\r\n\t\r\n <sip:boss@y>", "X-Tandem-Customer: boss", "x-tandem-ANYTHING \t : boss", "X-TANDEM-:\r\n boss",
        ]
        for first in spellings {
            for second in spellings {
                let message = try Message.parse(request(Array("\(first)\r\nX-Kept: a\r\n\(second)".utf8)))
                let forwarding = Forwarding(hop: hop(message), stripping: .assertions)
                let text = text(try forwarded(message, forwarding))
                #expect(!text.contains("boss"), "\(first) / \(second)")
                #expect(text.contains("X-Kept: a\r\n"))
            }
        }
    }

    @Test(
        "RFC 3325 §5, RFC 7315 §5, RFC 3427 §4.1: what holds within a trust domain comes in from nobody and leaves it for nobody",
        arguments: [
            ("P-Asserted-Identity", true), ("P-Preferred-Identity", false), ("Remote-Party-ID", false), ("Diversion", false),
            ("History-Info", false), ("P-Charging-Vector", true), ("P-Charging-Function-Addresses", true),
            ("P-Access-Network-Info", true), ("P-Asserted-Service", false), ("P-Served-User", false), ("X-Tandem-Trunk", true),
            ("X-Tandem-", true),
        ])
    func trustDomain(name: String, isInward: Bool) throws {
        for spelling in [name, name.lowercased(), name.uppercased()] {
            for colon in [":", " :", "\t: ", ":\r\n "] {
                let message = try Message.parse(request(Array("\(spelling)\(colon)boss\r\nX-Kept: a".utf8)))
                func passes(_ stripping: Forwarding.Stripping) throws -> Bool {
                    let text = text(try forwarded(message, Forwarding(hop: hop(message), stripping: stripping)))
                    #expect(text.contains("X-Kept: a\r\n") && text.contains("Call-ID: smuggled\r\n"))
                    return text.contains("boss")
                }
                #expect(try !passes(.assertions), "\(spelling)\(colon)")
                #expect(try passes(.assertedIdentity) == !isInward, "\(spelling)\(colon)")
                let isPrivate = name.hasPrefix("X-Tandem")
                #expect(try passes(.credentials) == !isPrivate)
                #expect(try passes(.privateOnly) == !isPrivate)
            }
        }
    }

    @Test("a name that only begins alike is somebody else's", arguments: ["P", "X", "PX-Tandem-A", "X-Tande", "X_Tandem-A", "Path", "Privacy"])
    func otherNames(name: String) throws {
        let message = try Message.parse(request(Array("\(name): boss".utf8)))
        #expect(text(try forwarded(message, Forwarding(hop: hop(message), stripping: .assertions))).contains("\(name): boss\r\n"))
    }

    @Test("RFC 3261 §25.1: a control byte stands in a quoted pair, and nowhere else")
    func quotedPair() throws {
        let value = "\"BEL:\\\u{7} \\\\ NUL:\\\u{0}\" <sip:x@y>"
        #expect(try Message.parse(request(Array("Alert-Info: \(value)".utf8))).value(.alertInfo) == value)
    }

    @Test("RFC 3261 §21.4.1: of a request that is refused for one line, what is sound can still be read, and the line cannot")
    func refusable() throws {
        for line in ["To\u{1}: <sip:boss@y>", "X: a\nb", "X", "X: " + String(repeating: "a", count: 9_000)] {
            let bytes = request(Array(line.utf8))
            var index = MessageIndex()
            do throws(ParseError) {
                try index.read(bytes.span)
                Issue.record("\(line.prefix(20)) is no reason to refuse it")
            } catch {}
            guard let message = index.view(of: bytes.span)?.message() else { throw NoRoom() }
            #expect(message.to?.uri.user == "j.user")
            #expect(message.fields.count == 6, "\(line.prefix(20))")
        }
    }

    @Test("RFC 3261 §7.3.3: the compact and the long name are one header, so a second is seen")
    func compact() throws {
        for line in ["t: <sip:other@y>", "f: <sip:other@y>;tag=2", "i: other", "TO : <sip:other@y>"] {
            #expect(try Message.parse(request(Array(line.utf8))).requestDefect?.status == 400, "\(line)")
        }
        let message = try Message.parse(request(Array("v: SIP/2.0/UDP 192.0.2.16;branch=z9hG4bKsecond".utf8)))
        #expect(message.vias?.count == 2)
    }

    @Test("RFC 3261 §18.3: bytes behind a datagram's body are dropped, and a body cut short is no message")
    func trailing() throws {
        let whole = request(wire("l: 0"))
        #expect(try Message.parse(whole + wire("INVITE sip:evil SIP/2.0\n\n")).bytes == whole)
        #expect(throws: ParseError.truncatedBody) { try Message.parse(request(wire("l: 1"))) }
    }

    @Test("O7: the limit is good, one more is not")
    func limits() throws {
        let limits = Limits()
        func padded(_ count: Int) -> [UInt8] { wire("OPTIONS sip:x SIP/2.0\n\n") + [UInt8](repeating: 65, count: count - 25) }
        #expect(try Message.parse(padded(limits.messageLength)).bytes.count == limits.messageLength)
        #expect(throws: ParseError.tooLong) { try Message.parse(padded(limits.messageLength + 1)) }
        func headers(_ count: Int) -> [UInt8] { wire("OPTIONS sip:x SIP/2.0\n" + String(repeating: "X: 1\n", count: count) + "\n") }
        #expect(try Message.parse(headers(limits.headerCount)).fields.count == limits.headerCount)
        #expect(throws: ParseError.tooManyHeaders) { try Message.parse(headers(limits.headerCount + 1)) }
        func line(_ count: Int) -> [UInt8] { wire("OPTIONS sip:x SIP/2.0\nX: " + String(repeating: "a", count: count - 3) + "\n\n") }
        #expect(try Message.parse(line(limits.lineLength)).fields.count == 1)
        #expect(throws: ParseError.lineTooLong) { try Message.parse(line(limits.lineLength + 1)) }
    }

    @Test("O7: a request has as many Vias as hops, a response those of a request that has passed", arguments: [", ", "\nVia: "])
    func vias(separator: String) throws {
        func message(_ start: String, _ count: Int) -> [UInt8] {
            let vias = (0..<count).map { "SIP/2.0/UDP h;branch=z9hG4bK\($0)" }.joined(separator: separator)
            return wire("\(start)\nVia: \(vias)\nCSeq: 1 OPTIONS\nCall-ID: a\nFrom: <sip:a>;tag=1\nTo: <sip:b>;tag=2\n\n")
        }
        let limits = Limits.outside
        #expect(throws: ParseError.tooManyVias) { try Message.parse(message("OPTIONS sip:x SIP/2.0", limits.viaCount + 1), limits: limits) }
        let response = try Message.parse(message("SIP/2.0 200 OK", 150), limits: limits)
        #expect(response.vias?.count == 150 && response.isUsableResponse)
    }
}
