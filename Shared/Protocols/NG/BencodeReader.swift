internal import Bytes

extension Value {
    /// Reads a bencoded value that fills the bytes.
    public init(bencoded bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Limits.bytes else { throw .tooLarge }
        var reader = BencodeReader(bytes: bytes)
        self = try reader.value(depth: 0)
        guard reader.isAtEnd else { throw .trailing }
    }
}

/// `i42e`, `4:spam`, `l...e`, `d...e`. The order of a dictionary's keys is not asked for, as nobody who speaks the protocol keeps it.
private struct BencodeReader {
    let bytes: [UInt8]
    private var position = 0
    private var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func value(depth: Int) throws(ParseError) -> Value {
        values += 1
        guard depth <= Limits.depth, values <= Limits.values else { throw .tooLarge }
        switch try peek() {
        case UInt8(ascii: "i"):
            position += 1
            return .integer(try integer())
        case UInt8(ascii: "l"):
            position += 1
            var list: [Value] = []
            while try !isEnd() { list.append(try value(depth: depth + 1)) }
            return .list(list)
        case UInt8(ascii: "d"):
            position += 1
            var dictionary: [String: Value] = [:]
            while try !isEnd() {
                let key = String(decoding: try string(), as: UTF8.self)
                let value = try value(depth: depth + 1)
                // What a key means must not depend on who reads it.
                guard dictionary.updateValue(value, forKey: key) == nil else { throw .malformed }
            }
            return .dictionary(dictionary)
        default:
            return .bytes(try string())
        }
    }

    private func peek() throws(ParseError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    /// Whether a list or dictionary ends here; then it is passed over.
    private mutating func isEnd() throws(ParseError) -> Bool {
        guard try peek() == UInt8(ascii: "e") else { return false }
        position += 1
        return true
    }

    /// Behind the `i`; leading zeros are borne.
    private mutating func integer() throws(ParseError) -> Int64 {
        let isNegative = try peek() == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let digits = try until(UInt8(ascii: "e"), limit: 20)
        guard let magnitude = ASCII.decimal(digits) else { throw .malformed }
        if isNegative {
            guard magnitude <= Int64.min.magnitude else { throw .malformed }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        guard let number = Int64(exactly: magnitude) else { throw .malformed }
        return number
    }

    private mutating func string() throws(ParseError) -> [UInt8] {
        guard let length = ASCII.decimal(try until(UInt8(ascii: ":"), limit: 6)) else { throw .malformed }
        guard length <= UInt64(bytes.count - position) else { throw .truncated }
        let start = position
        position += Int(length)
        return Array(bytes[start..<position])
    }

    /// What stands before the next `end`, which is passed over.
    private mutating func until(_ end: UInt8, limit: Int) throws(ParseError) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, position - start <= limit {
            if bytes[position] == end {
                position += 1
                return bytes[start..<(position - 1)]
            }
            position += 1
        }
        throw position < bytes.count ? .malformed : .truncated
    }
}
