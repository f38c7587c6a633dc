internal import Bytes

extension Value {
    /// The keys of dictionaries are in order, as the encoding wants it.
    public var bencoded: [UInt8] {
        var output: [UInt8] = []
        appendBencoded(to: &output)
        return output
    }

    private func appendBencoded(to output: inout [UInt8]) {
        switch self {
        case .bytes(let bytes): Self.appendBencoded(bytes, to: &output)
        case .integer(let number): output += "i\(number)e".utf8
        case .list(let list):
            output.append(UInt8(ascii: "l"))
            for value in list { value.appendBencoded(to: &output) }
            output.append(UInt8(ascii: "e"))
        case .dictionary(let dictionary):
            output.append(UInt8(ascii: "d"))
            for key in Self.ordered(dictionary) {
                Self.appendBencoded(Array(key.utf8), to: &output)
                dictionary[key]?.appendBencoded(to: &output)
            }
            output.append(UInt8(ascii: "e"))
        }
    }

    private static func appendBencoded(_ bytes: [UInt8], to output: inout [UInt8]) {
        output += "\(bytes.count):".utf8
        output += bytes
    }

    private static func ordered(_ dictionary: [String: Value]) -> [String] {
        dictionary.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Strings are written as UTF-8 (RFC 8259 §8.1); octets that are none are replaced.
    public var json: [UInt8] {
        var output: [UInt8] = []
        appendJSON(to: &output)
        return output
    }

    private func appendJSON(to output: inout [UInt8]) {
        switch self {
        case .bytes(let bytes): Self.appendJSON(bytes, to: &output)
        case .integer(let number): output += "\(number)".utf8
        case .list(let list):
            output.append(UInt8(ascii: "["))
            for (index, value) in list.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.appendJSON(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .dictionary(let dictionary):
            output.append(UInt8(ascii: "{"))
            for (index, key) in Self.ordered(dictionary).enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.appendJSON(Array(key.utf8), to: &output)
                output.append(UInt8(ascii: ":"))
                dictionary[key]?.appendJSON(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func appendJSON(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): output += "\\n".utf8
            case UInt8(ascii: "\r"): output += "\\r".utf8
            case UInt8(ascii: "\t"): output += "\\t".utf8
            case 0..<32: output += ("\\u00" + Hexadecimal.encode([byte])).utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
