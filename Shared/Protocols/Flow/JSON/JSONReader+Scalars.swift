/// Strings (RFC 8259 §7) and numbers (§6).
extension JSONReader {
    mutating func string() throws(JSONError) -> String {
        try take(UInt8(ascii: "\""))
        let start = position
        // Filled from the first escape on; a string without any is taken from the input in one piece.
        var unescaped: [UInt8] = []
        var plain = true
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let text = plain
                    ? String(validating: bytes[start..<position], as: UTF8.self)
                    : String(validating: unescaped, as: UTF8.self)
                guard let text else { throw JSONError(reason: .text, offset: start) }
                advance()
                return text
            case UInt8(ascii: "\\"):
                if plain {
                    unescaped = Array(bytes[start..<position])
                    plain = false
                }
                try escape(into: &unescaped)
            case 0..<0x20:
                throw failure(.unexpectedByte)
            default:
                if !plain { unescaped.append(byte) }
                advance()
            }
        }
        throw failure(.unexpectedEnd)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        advance()
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        let kind = bytes[position]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            advance()
            let scalar = try escapedScalar()
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
            return
        default: throw failure(.unexpectedByte)
        }
        advance()
    }

    /// `XXXX` after `\u`, and the low surrogate that must follow a high one.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = position
        var code = try fourDigits()
        if code & 0xFC00 == 0xD800 {
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw JSONError(reason: .text, offset: start) }
            advance(by: 2)
            let low = try fourDigits()
            guard low & 0xFC00 == 0xDC00 else { throw JSONError(reason: .text, offset: start) }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard code != 0, let scalar = Unicode.Scalar(code) else { throw JSONError(reason: .text, offset: start) }
        return scalar
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw failure(.unexpectedEnd) }
            let byte = bytes[position]
            switch byte {
            case 48...57: code = code << 4 | UInt32(byte - 48)
            case 65...70: code = code << 4 | UInt32(byte - 55)
            case 97...102: code = code << 4 | UInt32(byte - 87)
            default: throw failure(.unexpectedByte)
            }
            advance()
        }
        return code
    }

    mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if next == UInt8(ascii: "-") { advance() }
        // The integer part has no leading zero.
        if next == UInt8(ascii: "0") { advance() } else { try digits() }
        var integral = true
        if next == UInt8(ascii: ".") {
            advance()
            try digits()
            integral = false
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            advance()
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { advance() }
            try digits()
            integral = false
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if integral, let value = Int64(text) { return .integer(value) }
        guard text.utf8.count <= 64, let value = Double(text), value.isFinite else {
            throw JSONError(reason: .number, offset: start)
        }
        return .number(value)
    }

    private mutating func digits() throws(JSONError) {
        guard let first = next else { throw failure(.unexpectedEnd) }
        guard first &- 48 < 10 else { throw failure(.unexpectedByte) }
        while let byte = next, byte &- 48 < 10 { advance() }
    }
}
