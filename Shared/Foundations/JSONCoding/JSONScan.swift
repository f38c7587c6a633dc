/// One pass over a text that finds its values and refuses what RFC 8259 does not allow.
struct JSONScan {
    private typealias Node = JSONTape.Node

    let bytes: [UInt8]
    private(set) var nodes: [JSONTape.Node] = []
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        nodes.reserveCapacity(bytes.count / 12 + 4)
    }

    mutating func text() throws {
        try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw unexpected() }
    }

    private func unexpected() -> DecodingError {
        JSONTape.failure(position < bytes.count ? "this cannot stand here" : "the text ends too early", position)
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws {
        skipSpace()
        switch byte {
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "{"): try object(depth: depth + 1)
        case UInt8(ascii: "["): try array(depth: depth + 1)
        case UInt8(ascii: "t"): try word("true", .true)
        case UInt8(ascii: "f"): try word("false", .false)
        case UInt8(ascii: "n"): try word("null", .null)
        default: try number()
        }
    }

    private mutating func object(depth: Int) throws {
        let own = try begin(.object, depth)
        nodes[own].start = 0
        defer { nodes[own].next = UInt32(nodes.count) }
        skipSpace()
        if byte == UInt8(ascii: "}") { return position += 1 }
        while true {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw unexpected() }
            let name = nodes.count
            try string()
            nodes[own].start |= mark(name)
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw unexpected() }
            position += 1
            try value(depth: depth)
            if try isLast(UInt8(ascii: "}")) { return }
        }
    }

    /// What an escaped name says is not known here: it may be any.
    private func mark(_ name: Int) -> UInt32 {
        let (start, end) = (Int(nodes[name].start), Int(nodes[name].end))
        guard nodes[name].spelling != .escaped else { return .max }
        return start == end ? JSONTape.mark(0, first: 0, last: 0) : JSONTape.mark(end - start, first: bytes[start], last: bytes[end - 1])
    }

    private mutating func array(depth: Int) throws {
        let own = try begin(.array, depth)
        defer { nodes[own].next = UInt32(nodes.count) }
        skipSpace()
        if byte == UInt8(ascii: "]") { return position += 1 }
        repeat { try value(depth: depth) } while try !isLast(UInt8(ascii: "]"))
    }

    private mutating func begin(_ kind: JSONKind, _ depth: Int) throws -> Int {
        guard depth <= JSONText.deepest else { throw JSONTape.failure("nested too deeply", position) }
        nodes.append(Node(kind: kind, start: UInt32(position), end: UInt32(position), next: 0))
        position += 1
        return nodes.count - 1
    }

    private mutating func isLast(_ closing: UInt8) throws -> Bool {
        skipSpace()
        guard let byte, byte == closing || byte == UInt8(ascii: ",") else { throw unexpected() }
        position += 1
        return byte == closing
    }

    private mutating func append(_ kind: JSONKind, from start: Int, to end: Int, spelling: JSONTape.Spelling = .plain) {
        nodes.append(Node(kind: kind, spelling: spelling, start: UInt32(start), end: UInt32(end), next: UInt32(nodes.count + 1)))
    }

    private mutating func word(_ word: StaticString, _ kind: JSONKind) throws {
        let start = position
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe byte == word.utf8Start[index] else { throw unexpected() }
            position += 1
        }
        append(kind, from: start, to: position)
    }

    private mutating func string() throws {
        position += 1
        let start = position
        var isEscaped = false
        var union: UInt64 = 0
        while true {
            skipPlain(&union)
            switch byte {
            case UInt8(ascii: "\""):
                append(.string, from: start, to: position, spelling: isEscaped ? .escaped : JSONWord.isASCII(union) ? .plain : .wide)
                position += 1
                return
            case UInt8(ascii: "\\"):
                position += 1
                isEscaped = true
                try escape()
            default: throw unexpected()
            }
        }
    }

    /// Up to a quote, a backslash, what cannot stand in a string, or the end; what is passed over goes into `union`.
    private mutating func skipPlain(_ union: inout UInt64) {
        position = unsafe bytes.withUnsafeBytes { bytes in
            var place = position
            while place + 8 <= bytes.count {
                let word = UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let plain = JSONWord.plainLength(word)
                place += plain
                guard plain == 8 else {
                    union |= word & (1 << UInt64(8 * plain) - 1)
                    return place
                }
                union |= word
            }
            while place < bytes.count, unsafe JSONWord.isPlain(bytes[place]) {
                unsafe union |= UInt64(bytes[place])
                place += 1
            }
            return place
        }
    }

    private mutating func escape() throws {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard let byte, byte &- 48 < 10 || (byte | 32) &- 97 < 6 else { throw unexpected() }
                position += 1
            }
        default: throw unexpected()
        }
    }

    /// RFC 8259 §6.
    private mutating func number() throws {
        let start = position
        var kind = JSONKind.integer
        if byte == UInt8(ascii: "-") { position += 1 }
        if byte == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if byte == UInt8(ascii: ".") {
            kind = .number
            position += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            kind = .number
            position += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        append(kind, from: start, to: position)
    }

    private mutating func digits() throws {
        guard let first = byte, first &- 48 < 10 else { throw unexpected() }
        while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
    }
}
