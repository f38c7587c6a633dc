import Foundation
import JSONCoding
import Testing

@Suite("JSON of Codable values") struct JSONTextTests {
    enum Shape: Codable, Equatable { case point, circle(radius: Double), named(String, Inner) }
    enum Colour: String, Codable, CodingKeyRepresentable { case red, blue }

    struct Inner: Codable, Equatable {
        var flag = true
        var small: Int8 = -128
        var large: UInt64 = .max
        var nothing: Int?
        var something: Int? = 7
    }

    struct Outer: Codable, Equatable {
        var text = "\"quoted\" \\ / \u{8}\u{C}\n\r\t\u{1}\u{1F} é 😀"
        var number = 0.1
        var whole = 3.0
        var tiny = 1e-300
        var integers = [Int.min, 0, 9, 10, Int.max]
        var nested: [[Inner]] = [[], [Inner(), Inner(flag: false)]]
        var shapes: [Shape] = [.point, .circle(radius: 2.5), .named("x", Inner())]
        var byName = ["a": 1, "ü \"": 2]
        var byNumber = [5: "five", -1: "minus"]
        var byColour: [Colour: Inner] = [.red: Inner()]
        var optionals: [Int?] = [1, nil, 3]
        var empty: [String: Int] = [:]
    }

    struct Empty: Codable, Equatable {}

    /// Its members come from two types that share one object, as some events do.
    struct Shared: Encodable {
        private enum CodingKeys: String, CodingKey { case more }

        func encode(to encoder: any Encoder) throws {
            try Inner().encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode("yes", forKey: .more)
        }
    }

    private func text(_ value: some Encodable) throws -> String { String(decoding: try JSONText.encode(value), as: UTF8.self) }
    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value { try JSONText.decode(type, from: Array(text.utf8)) }

    @Test("What was encoded comes back, and Foundation reads and writes the same")
    func roundTrip() throws {
        let value = Outer()
        let bytes = try JSONText.encode(value)
        #expect(try JSONText.decode(Outer.self, from: bytes) == value)
        #expect(try JSONDecoder().decode(Outer.self, from: Data(bytes)) == value)
        #expect(try JSONText.decode(Outer.self, from: Array(JSONEncoder().encode(value))) == value)
    }

    @Test("Members stand in their order, whole numbers without a fraction, a value of no members is an object")
    func spelling() throws {
        #expect(try text(Inner()) == #"{"flag":true,"small":-128,"large":18446744073709551615,"something":7}"#)
        #expect(try text([3.0, -0.5, 1e21]) == "[3,-0.5,1e+21]")
        #expect(try text([Empty(), Empty()]) == "[{},{}]")
        #expect(try text(Shape.point) == #"{"point":{}}"#)
        #expect(try text(Shared()) == #"{"flag":true,"small":-128,"large":18446744073709551615,"something":7,"more":"yes"}"#)
        #expect(try text("top") == #""top""#)
        #expect(throws: EncodingError.self) { try JSONText.encode([Double.infinity]) }
    }

    @Test("RFC 8259 §7: every escape is read, surrogates in pairs")
    func escapes() throws {
        #expect(try decode(String.self, #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#) == "\"\\/\u{8}\u{C}\n\r\té😀")
        #expect(try decode([String: Int].self, #"{"\u0061":1}"#) == ["a": 1])
        #expect(throws: DecodingError.self) { try decode(String.self, #""\uD83D""#) }
        #expect(throws: DecodingError.self) { try JSONText.decode(String.self, from: [0x22, 0xC3, 0x22]) }
    }

    @Test("Strings of every length, with a byte of every kind at every place, are written as Foundation reads them and read again")
    func places() throws {
        for special in ["\"", "\\", "\u{0}", "\u{1F}", "\n", " ", "\u{7F}", "é", "😀"] {
            for length in 0..<20 {
                for place in 0...length {
                    let text = String(repeating: "x", count: place) + special + String(repeating: "y", count: length - place)
                    let bytes = try JSONText.encode([text: [text, text]])
                    #expect(try JSONDecoder().decode([String: [String]].self, from: Data(bytes)) == [text: [text, text]])
                    #expect(try JSONText.decode([String: [String]].self, from: bytes) == [text: [text, text]])
                }
            }
        }
    }

    @Test("A byte that cannot stand in a string is refused at every place")
    func controls() {
        for length in 0..<20 {
            for place in 0...length {
                let bytes = [0x22] + [UInt8](repeating: 0x78, count: place) + [0x1F] + [UInt8](repeating: 0x79, count: length - place) + [0x22]
                #expect(throws: DecodingError.self) { try JSONText.decode(String.self, from: bytes) }
                #expect(throws: DecodingError.self) { try JSONText.decode(String.self, from: Array(bytes[..<(place + 1)])) }
            }
        }
    }

    @Test(
        "RFC 8259: what is no JSON is refused",
        arguments: [
            "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", "1e", "+1", ".5", "tru", "nul", "\"", "\"\\x\"",
            "\"\\u12\"", "\"\u{1}\"", "1 1", "[1]]", "NaN", "'a'", "\u{FEFF}1",
        ])
    func malformed(_ text: String) { #expect(throws: DecodingError.self) { try JSONText.decode(Inner?.self, from: Array(text.utf8)) } }

    @Test("Depth is bounded, and the bound itself is allowed")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] { Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8) }
        #expect(try JSONText.decode([[Int]].self, from: nested(2)) == [[]])
        #expect(throws: Never.self) { try JSONText.decode([Empty].self, from: Array("[]".utf8)) }
        #expect(throws: DecodingError.self) { try JSONText.decode([Empty].self, from: nested(JSONText.deepest + 1)) }
        #expect(throws: DecodingError.self) { try JSONText.decode([Empty].self, from: Array(String(repeating: "[", count: 1_000_000).utf8)) }
    }

    @Test("What is of another kind than was expected is an error", arguments: ["{}", #"{"zz":1}"#, "[]", "[1]", "null", "true", #""1""#, "1", "1.5"])
    func mismatches(_ value: String) throws {
        func expect<Value: Decodable>(_ type: Value.Type, _ kinds: Set<Character>) {
            let fits = kinds.contains(value.first ?? " ") && !(value == "1.5" && type is any BinaryInteger.Type)
            #expect(((try? decode(type, value)) != nil) == fits, "\(type)")
            #expect(((try? decode([Value].self, "[\(value)]")) != nil) == fits, "\(type)")
            #expect(((try? decode([String: Value].self, "{\"a\":\(value)}")) != nil) == fits, "\(type)")
        }
        expect(Int.self, ["1"])
        expect(Int8.self, ["1"])
        expect(UInt64.self, ["1"])
        expect(Double.self, ["1"])
        expect(Float.self, ["1"])
        expect(String.self, ["\""])
        expect(Bool.self, ["t"])
        expect(Empty.self, ["{", "[", "n", "t", "\"", "1"])
        expect([Empty].self, ["["])
        expect([String: Empty].self, ["{"])
        #expect(try decode(Int?.self, value == "null" ? value : "7") == (value == "null" ? nil : 7))
    }

    @Test("A number that does not fit its type is an error, one that is written with a fraction fits when it is whole")
    func numbers() throws {
        #expect(try decode([Int8].self, "[127, -128, 1.0, 1e2]") == [127, -128, 1, 100])
        #expect(try decode([Double].self, "[1, -2.5e3, 0]") == [1, -2_500, 0])
        for text in ["128", "-129", "1.5", "1e400"] { #expect(throws: DecodingError.self) { try decode(Int8.self, text) } }
        #expect(throws: DecodingError.self) { try decode(UInt64.self, "-1") }
        #expect(throws: DecodingError.self) { try decode(UInt64.self, "18446744073709551616") }
        #expect(throws: DecodingError.self) { try decode(Double.self, "1e400") }
    }

    @Test("An error says where")
    func path() throws {
        func path(_ text: String) -> [String] {
            do {
                _ = try decode(Outer.self, text)
                return []
            } catch let error as DecodingError {
                switch error {
                case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
                    return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
                @unknown default: return []
                }
            } catch { return [] }
        }
        var whole = try text(Outer())
        #expect(path(whole) == [])
        whole = whole.replacingOccurrences(of: #"{"flag":false"#, with: #"{"flag":"no""#)
        #expect(path(whole) == ["nested", "1", "1", "flag"])
    }

    @Test("Members are found in any order, and those nobody knows are passed by")
    func order() throws {
        let value = try decode(Inner.self, #"{"else":{"x":[1,{"y":2}]},"something":1,"large":2,"nothing":null,"small":3,"flag":false}"#)
        #expect(value == Inner(flag: false, small: 3, large: 2, nothing: nil, something: 1))
        #expect(throws: DecodingError.self) { try decode(Inner.self, #"{"flag":true}"#) }
    }

    /// Optional members of all types that containers know.
    private struct Optionals: Codable, Equatable {
        var flag: Bool?, text: String?, double: Double?, float: Float?, int: Int?, int8: Int8?, int16: Int16?, int32: Int32?, int64: Int64?
        var uint: UInt?, uint8: UInt8?, uint16: UInt16?, uint32: UInt32?, uint64: UInt64?, value: Inner?, list: [Int]?, shape: Shape?
    }

    @Test("Members that are nil are not written, and those that are null or missing are nil")
    func optionals() throws {
        #expect(try text(Optionals()) == "{}")
        #expect(try decode(Optionals.self, "{}") == Optionals())
        let full = Optionals(
            flag: false, text: "", double: -0.5, float: 0.1, int: .min, int8: .min, int16: .min, int32: .min, int64: .min, uint: .max, uint8: .max,
            uint16: .max, uint32: .max, uint64: .max, value: Inner(), list: [], shape: .point)
        let bytes = try JSONText.encode(full)
        #expect(try JSONText.decode(Optionals.self, from: bytes) == full)
        #expect(try JSONDecoder().decode(Optionals.self, from: Data(bytes)) == full)
        #expect(try text(full).hasPrefix(#"{"flag":false,"text":"","double":-0.5,"float":0.1,"int":-9223372036854775808,"int8":-128,"#))
        #expect(try decode(Optionals.self, #"{"shape":null,"int8":null,"text":null,"value":null,"uint16":null}"#) == Optionals())
        #expect(throws: DecodingError.self) { try decode(Optionals.self, #"{"uint16":65536}"#) }
    }

    @Test("Numbers are written to their last digit")
    func digits() throws {
        var numbers: [UInt64] = [.max, UInt64.max - 1]
        var power = 1 as UInt64
        for _ in 0..<20 {
            numbers += [power - 1, power, power + 1]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        #expect(try text(numbers) == "[" + numbers.map(String.init).joined(separator: ",") + "]")
    }

    /// Members with names that look alike to a search by length and ends.
    private struct Names: Codable, Equatable {
        enum CodingKeys: String, CodingKey { case none = "", short = "a", long = "abcdefgh", other = "abxdefgh", longer = "abcdefgh1" }
        var none: Int?, short: Int?, long: Int?, other: Int?, longer: Int?
    }

    @Test("Members are found by their whole name, whether it is escaped or not, and of two with one name the first")
    func names() throws {
        let all = Names(none: 1, short: 2, long: 3, other: 4, longer: 5)
        #expect(try decode(Names.self, #"{"":1,"a":2,"abcdefgh":3,"abxdefgh":4,"abcdefgh1":5}"#) == all)
        #expect(try decode(Names.self, #"{"abcdefgh1":5,"a":2,"abydefgh":0,"abxdefgh":4,"b":0,"abcdefgh":3,"":1}"#) == all)
        #expect(try decode(Names.self, #"{"\u0061bcdefgh":3,"\u0061":2}"#) == Names(short: 2, long: 3))
        #expect(try decode(Names.self, #"{"a":2,"a":3}"#) == Names(short: 2))
        #expect(throws: DecodingError.self) { try decode(Names.self, #"{"\ud800":1}"#) }
    }

    /// Nested containers, one within the other, and an encoder for a superclass.
    private struct Nested: Encodable {
        enum CodingKeys: String, CodingKey { case list, object, after }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try list.encode(1)
            var inner = list.nestedContainer(keyedBy: CodingKeys.self)
            try inner.encode("x", forKey: .after)
            _ = list.nestedUnkeyedContainer()
            try list.encodeNil()
            try Inner(something: nil).encode(to: list.superEncoder())
            _ = container.nestedContainer(keyedBy: CodingKeys.self, forKey: .object)
            try 5.encode(to: container.superEncoder())
            try container.encodeNil(forKey: .after)
        }
    }

    @Test("Containers are closed when the one around them goes on, and empty ones stand")
    func nesting() throws {
        let inner = #"{"flag":true,"small":-128,"large":18446744073709551615}"#
        #expect(try text(Nested()) == #"{"list":[1,{"after":"x"},[],null,\#(inner)],"object":{},"super":5,"after":null}"#)
    }

    @Test("A decoder can be asked what the value is")
    func kind() throws {
        struct Kind: Decodable {
            let kind: JSONKind?
            init(from decoder: any Decoder) { kind = (decoder as? any JSONInspectable)?.kind }
        }
        #expect(try decode([Kind].self, #"[null,true,false,1,1.5,"a",[],{}]"#).map(\.kind) == [.null, .true, .false, .integer, .number, .string, .array, .object])
    }

    @Test("Random bytes never trap")
    func hostile() {
        var state: UInt64 = 88_172_645_463_325_252
        let alphabet = Array(#"{}[]:,"\u0123456789abcdefE+-.truefalsn null"#.utf8) + [0, 0x80, 0xC3, 0xED, 0xFF]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<24 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = try? JSONText.decode([String: [Inner]].self, from: bytes)
            _ = try? JSONText.decode([String].self, from: bytes)
            _ = try? JSONText.decode([Double].self, from: bytes)
        }
    }
}
