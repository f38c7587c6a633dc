@testable import Flow
import Testing

@Suite("RFC 8259: JSON texts, friendly and hostile")
struct JSONTests {
    static let valueTable: [(String, JSONValue)] = [
        (" null ", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("12", 12), ("-3.25", -3.25), ("1e3", 1000.0),
        ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e4\ud83d\ude00""#, "ä😀"), ("\"ä😀\"", "ä😀"),
        ("[ ]", []), ("[1,[2]]", [1, [2]]), (#"{ "a" : {} , "b":[]}"#, ["a": [:], "b": []]),
    ]

    @Test("§3-§7: values", arguments: valueTable)
    func values(text: String, value: JSONValue) throws {
        #expect(try JSONValue(json: text) == value)
    }

    static let refusalTable: [(String, JSONError.Reason, Int)] = [
        ("", JSONError.Reason.unexpectedEnd, 0), ("[", .unexpectedEnd, 1), ("[1,]", .unexpectedByte, 3), ("{\"a\" 1}", .unexpectedByte, 5),
        ("nul", .unexpectedEnd, 3), ("01", .trailing, 1), ("1.", .unexpectedEnd, 2), ("+1", .unexpectedByte, 0), ("-", .unexpectedEnd, 1),
        ("NaN", .unexpectedByte, 0), ("\"a", .unexpectedEnd, 2), ("\"\n\"", .unexpectedByte, 1), (#""\x""#, .unexpectedByte, 2),
        (#""\u12""#, .unexpectedByte, 5), (#""\ud800""#, .text, 3), (#""\ud800\u0041""#, .text, 3), (#""\udc00""#, .text, 3),
        (#""\u0000""#, .text, 3), (#"{"a":1,"a":2}"#, .duplicateName, 7),
        ("1 2", .trailing, 2), ("1e999", .number, 0), ("{1:2}", .unexpectedByte, 1),
        (String(repeating: "9", count: 400), .number, 0), ("1e-99999999999999999999", .number, 0),
    ]

    @Test("What is no JSON says why and where", arguments: refusalTable)
    func refusals(text: String, reason: JSONError.Reason, offset: Int) {
        if reason == .number, text.hasPrefix("1e-") {
            // Too small is zero, as IEEE 754 rounds it.
            #expect((try? JSONValue(json: text)) == .number(0))
            return
        }
        #expect(throws: JSONError(reason: reason, offset: offset)) { try JSONValue(json: text) }
    }

    @Test("Bytes that are no UTF-8 are refused", arguments: [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
    ])
    func invalidUTF8(bytes: [Int]) {
        let text = [0x22] + bytes.map { UInt8($0) } + [0x22]
        #expect(throws: JSONError(reason: .text, offset: 1)) { try JSONValue(json: text) }
        #expect(throws: JSONError.self) { try JSONValue(json: bytes.map { UInt8($0) }) }
    }

    @Test("Depth and size are bounded exactly")
    func bounds() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        let limits = JSONLimits(bytes: 100, depth: 10)
        _ = try JSONValue(json: nested(10), limits: limits)
        #expect(throws: JSONError(reason: .tooDeep, offset: 10)) { try JSONValue(json: nested(11), limits: limits) }
        #expect(throws: JSONError(reason: .tooDeep, offset: 64)) { try JSONValue(json: nested(1000)) }
        #expect(throws: JSONError(reason: .tooDeep, offset: 64 * 5)) {
            try JSONValue(json: String(repeating: #"{"a":"#, count: 100_000))
        }
        #expect(throws: JSONError(reason: .tooLong, offset: 100)) {
            try JSONValue(json: String(repeating: " ", count: 101), limits: limits)
        }
    }

    @Test("A string of nothing but escapes costs time in proportion to its length")
    func manyEscapes() throws {
        let text = "\"" + String(repeating: #"\n"#, count: 500_000) + "\""
        #expect(try JSONValue(json: text).string?.utf8.count == 500_000)
    }

    @Test("Every prefix and every single-byte change of a flow is read or refused, never a trap")
    func mutations() {
        let original = Array(CodingTests.everything.utf8)
        for end in original.indices { _ = try? JSONValue(json: Array(original[..<end])) }
        var state: UInt64 = 1
        for index in original.indices {
            var bytes = original
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[index] = UInt8(truncatingIfNeeded: state >> 33)
            _ = Validation().actions(json: bytes)
        }
    }

    @Test("Equal values give equal bytes")
    func canonical() {
        let value: JSONValue = ["b": 1, "a": ["\u{1}", "\u{1f}", 1.5, nil]]
        #expect(value.jsonText == #"{"a":["\u0001","\u001f",1.5,null],"b":1}"#)
    }
}
