import Hostile
import SIP
import Testing

@Suite("RFC 5621, RFC 3261 §8.2.3: the session description in a body of whatever kind") struct SessionBodyTests {
    private func message(_ headers: String, _ body: String, lineEnd: String = "\r\n") throws -> Message {
        let content = body.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: lineEnd)
        let head = """
            INVITE sip:bob@127.0.0.1 SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa
            To: <sip:bob@127.0.0.1>
            From: <sip:alice@127.0.0.1>;tag=a
            Call-ID: c
            CSeq: 1 INVITE
            \(headers)
            Content-Length: \(content.utf8.count)


            """
        return try Message.parse(wire(head) + Array(content.utf8))
    }

    private func described(_ message: Message) -> String? { message.sessionBody.description.map { message.text($0) } }

    private static let mixed = """
        For those who cannot read this.
        --a b
        Content-Type: text/plain
        Content-Disposition: render; handling=OPTIONAL

        --a bc is no delimiter
        --a b \t
        c : application/SDP;
          charset=utf-8
        Content-Disposition: session

        v=0
        s=-
        --a b--
        And for them, too.
        """

    @Test("RFC 2046 §5.1.1: taken out of its parts, whatever stands before, between and behind them; lines may end with LF alone", arguments: ["\r\n", "\n"])
    func parts(lineEnd: String) throws {
        let message = try message("Content-Type: multipart/mixed;\n boundary=\"a b\"", Self.mixed, lineEnd: lineEnd)
        #expect(described(message) == "v=0\(lineEnd)s=-" && message.sessionBody.defect == nil)
    }

    @Test("RFC 3261 §20.11: what is of another kind has to be understood, unless it says that it need not", arguments: [
        ("Content-Type: application/sdp", "v=0", nil), ("Content-Type: Application/SDP ; x=1", "v=0", nil), ("Subject: none", "v=0", nil),
        ("Content-Type: application/sdp\nContent-Disposition: session;handling=required", "v=0", nil),
        ("Content-Type: text/plain", nil, .notUnderstood), ("Content-Type: ", nil, .notUnderstood),
        ("Content-Type: text/plain\nContent-Disposition: render;handling=optional", nil, nil),
        ("Content-Type: text/plain\nContent-Disposition: render;handling=required", nil, .notUnderstood),
        ("Content-Type: text/plain\nContent-Disposition: render;handling=optional;handling=required", nil, .notUnderstood),
        ("Content-Type: application/sdp\nContent-Encoding: gzip", nil, .notUnderstood),
        ("Content-Type: application/sdp\nContent-Encoding: identity", "v=0", nil),
        ("Content-Type: application/sdp\nContent-Disposition: early-session;handling=optional", nil, nil),
    ] as [(String, String?, SessionBody.Defect?)])
    func single(headers: String, description: String?, defect: SessionBody.Defect?) throws {
        let message = try message(headers, "v=0")
        #expect(described(message) == description && message.sessionBody.defect == defect)
    }

    @Test("no body is none; RFC 4475 §3.3.6 invut and §3.1.1.11 mpart01 have nothing that is understood")
    func foreign() throws {
        let none = try message("Content-Type: application/unknownformat", "").sessionBody
        #expect(none.description == nil && none.defect == nil)
        for name in ["invut", "mpart01"] {
            let body = try Message.parse(Torture.message(4475, name)).sessionBody
            #expect(body.description == nil && body.defect == .notUnderstood, "\(name)")
        }
    }

    private static func part(_ headers: String, _ content: String, boundary: String = "b") -> String { "--\(boundary)\n\(headers)\n\n\(content)\n" }

    @Test("RFC 5621 §3.1: of a mixed body all is understood or it is refused; of alternatives the last that is; parts may have parts")
    func kinds() throws {
        let (sdp, text) = (Self.part("Content-Type: application/sdp", "v=0"), Self.part("Content-Type: text/plain", "x"))
        let mixed = try message("Content-Type: multipart/mixed;boundary=b", sdp + text + "--b--")
        #expect(described(mixed) == "v=0" && mixed.sessionBody.defect == .notUnderstood)
        let optional = try message("Content-Type: multipart/mixed;boundary=b\nContent-Disposition: session;handling=optional", text + "--b--")
        #expect(optional.sessionBody.description == nil && optional.sessionBody.defect == nil)
        let other = Self.part("Content-Type: application/sdp", "v=1")
        let alternative = try message("Content-Type: multipart/alternative;boundary=b", sdp + other + text + "--b--")
        #expect(described(alternative) == "v=1" && alternative.sessionBody.defect == nil)
        let neither = try message("Content-Type: multipart/alternative;boundary=b", text + "--b--")
        #expect(neither.sessionBody.defect == .notUnderstood)
        let inner = Self.part("Content-Type: text/plain", "x", boundary: "i") + Self.part("Content-Type: application/sdp", "v=2", boundary: "i") + "--i--"
        let nested = try message("Content-Type: multipart/mixed;boundary=b", Self.part("Content-Type: multipart/alternative;boundary=i", inner) + "--b--")
        #expect(described(nested) == "v=2" && nested.sessionBody.defect == nil)
        // RFC 2046 §5.1: what names no type is text; a transfer encoding is nothing that is taken off.
        for headers in ["Subject: x", "Content-Type: application/sdp\nContent-Transfer-Encoding: base64"] {
            let message = try message("Content-Type: multipart/mixed;boundary=b", Self.part(headers, "v=0") + "--b--")
            #expect(message.sessionBody.description == nil && message.sessionBody.defect == .notUnderstood, "\(headers)")
        }
        let plain = Self.part("Content-Type: application/sdp\nContent-Transfer-Encoding: 8bit", "v=0") + "--b--"
        #expect(described(try message("Content-Type: multipart/mixed;boundary=b", plain)) == "v=0")
    }

    @Test("parts that cannot be told apart are none", arguments: [
        // No boundary, or none that can be one.
        ("multipart/mixed", "--b\n\nx\n--b--"), ("multipart/mixed;boundary", "--b\n\nx\n--b--"), ("multipart/mixed;boundary=\"\"", "--\n\nx\n----"),
        ("multipart/mixed;boundary=\"b \"", "--b \n\nx\n--b --"), ("multipart/mixed;boundary=b;boundary=c", "--b\n\nx\n--b--"),
        // Without an end, or without a beginning.
        ("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n"), ("multipart/mixed;boundary=b", "--b"),
        ("multipart/mixed;boundary=b", "v=0"), ("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n--b-"),
        // Lines that are no headers, or stand twice.
        ("multipart/mixed;boundary=b", "--b\nv=0\n--b--"), ("multipart/mixed;boundary=b", "--b\n folded: x\n\nv=0\n--b--"),
        ("multipart/mixed;boundary=b", "--b\n: x\n\nv=0\n--b--"),
        ("multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\nc: text/plain\n\nv=0\n--b--"),
    ])
    func malformed(type: String, body: String) throws {
        let found = try message("Content-Type: \(type)", body).sessionBody
        #expect(found.description == nil && found.defect == .malformed)
    }

    @Test("as much of everything as a message may hold is read, or refused")
    func huge() throws {
        func defect(_ body: String) throws -> SessionBody.Defect? { try message("Content-Type: multipart/mixed;boundary=b", body).sessionBody.defect }
        #expect(try defect(String(repeating: "--b\n\n", count: 8_000) + "--b--") == .malformed, "parts")
        #expect(try defect("--b\n" + String(repeating: "X: y\n", count: 10_000) + "\n--b--") == .malformed, "headers")
        #expect(try defect("--b\nX: y" + String(repeating: "\n z", count: 15_000) + "\n\n--b--") == .notUnderstood, "folds")
        #expect(try defect(String(repeating: "--b-\n", count: 10_000)) == .malformed, "all but delimiters")
        var nested = Self.part("Content-Type: application/sdp", "v=0") + "--b--"
        for _ in 0..<3 { nested = Self.part("Content-Type: multipart/mixed;boundary=b", nested) + "--b--" }
        #expect(try defect(nested) == .malformed, "the same boundary again ends the outer one")
        var deep = Self.part("Content-Type: application/sdp", "v=0", boundary: "b9") + "--b9--"
        for level in (0..<9).reversed() { deep = Self.part("Content-Type: multipart/mixed;boundary=b\(level + 1)", deep, boundary: "b\(level)") + "--b\(level)--" }
        #expect(try message("Content-Type: multipart/mixed;boundary=b0", deep).sessionBody.defect == .malformed, "depth")
    }
}
