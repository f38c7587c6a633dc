import NG
import Testing

@Suite("ng: encodings and frames")
struct EncodingTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("A ping and its answer, byte by byte, in both encodings")
    func ping() throws {
        let request = try Message(parsing: Array("5323_1 d7:command4:pinge".utf8))
        #expect(request.document == ["command": .text("ping")])
        #expect(text(request.answered(.pong).bytes) == "5323_1 d6:result4:ponge")
        let json = try Message(parsing: Array("x {\"command\": \"ping\"}".utf8))
        #expect(text(json.answered(.pong).bytes) == "x {\"result\":\"pong\"}")
    }

    @Test("Every kind of value survives both encodings")
    func values() throws {
        let value = Value.dictionary([
            "list": .list([.integer(Int64.min), .integer(Int64.max), .text("é\u{1}\"\\\n\u{1F600}"), .list([]), .dictionary([:])]), "": .text(""),
        ])
        #expect(try Value(bencoded: value.bencoded) == value)
        #expect(try Value(json: value.json) == value)
        #expect(try Value(bencoded: Value.bytes([0, 255, 10]).bencoded) == .bytes([0, 255, 10]))
    }

    @Test("RFC 8259: escapes, surrogates, space, words and numbers")
    func json() throws {
        let source = #" { "a" : [ "\u00e9\ud83d\ude00\/\b\f\n\r\t" , -0 , 1.5e3 , true , false , null ] } "#
        let list = try #require(try Value(json: Array(source.utf8))["a"]?.list)
        #expect(list[0].text == "é😀/\u{8}\u{c}\n\r\t")
        #expect(list[1...] == [.integer(Int64(0)), .text("1.5e3"), .integer(Int64(1)), .integer(Int64(0)), .bytes([])])
    }

    @Test(
        "What is no document is an error, whatever it lacks",
        arguments: [
            "", "d", "de ", "d1:ae", "d1:a1:b", "i1", "ie", "i-e", "i9223372036854775808e", "i-9223372036854775809e", "4:abc", "-1:a", "99999999:a",
            "li1e", "d1:ai1e1:ai2ee", "di1e1:ae", "x", "1:aa",
        ])
    func brokenBencode(_ source: String) {
        #expect(throws: ParseError.self) { try Value(bencoded: Array(source.utf8)) }
    }

    @Test(
        "The same for JSON",
        arguments: [
            "", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "\"", "\"\\", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
            "\"\\u12\"", "\"\n\"", "tru", "trux", "01x", "-", "+", "{\"a\":1,\"a\":2}", "{1:2}",
        ])
    func brokenJSON(_ source: String) {
        #expect(throws: ParseError.self) { try Value(json: Array(source.utf8)) }
    }

    @Test("Depth, number and length are bounded before anything is kept")
    func bounds() {
        let deep = String(repeating: "l", count: 1_000) + String(repeating: "e", count: 1_000)
        #expect(throws: ParseError.tooLarge) { try Value(bencoded: Array(deep.utf8)) }
        #expect(throws: ParseError.tooLarge) { try Value(json: Array((String(repeating: "[", count: 1_000)).utf8)) }
        #expect(throws: ParseError.tooLarge) { try Value(bencoded: Array(("l" + String(repeating: "0:", count: 5_000) + "e").utf8)) }
        #expect(throws: ParseError.tooLarge) { try Value(json: [UInt8](repeating: 32, count: 70_000)) }
    }

    @Test("Without a cookie, a space or a dictionary behind it there is no message", arguments: ["", "a", "a ", " de", "a b", "a le", "a 1:x", "\u{1} de"])
    func unframed(_ datagram: String) {
        #expect(throws: ParseError.self) { try Message(parsing: Array(datagram.utf8)) }
    }
}
