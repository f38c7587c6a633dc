/// One pass over a text that finds its values and refuses what RFC 8259 does not allow.
struct JSONScan {
    private typealias Node = JSONTape.Node

    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func text(into nodes: inout [JSONTape.Node]) throws {
        try value(into: &nodes, depth: 0)
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

    private mutating func value(into nodes: inout [Node], depth: Int) throws {
        skipSpace()
        switch byte {
        case UInt8(ascii: "\""): try string(into: &nodes)
        case UInt8(ascii: "{"): try object(into: &nodes, depth: depth + 1)
        case UInt8(ascii: "["): try array(into: &nodes, depth: depth + 1)
        case UInt8(ascii: "t"): try word("true", .true, into: &nodes)
        case UInt8(ascii: "f"): try word("false", .false, into: &nodes)
        case UInt8(ascii: "n"): try word("null", .null, into: &nodes)
        default: try number(into: &nodes)
        }
    }

    private mutating func object(into nodes: inout [Node], depth: Int) throws {
        let own = try begin(.object, into: &nodes, depth)
        defer { nodes[own].next = UInt32(nodes.count) }
        skipSpace()
        if byte == UInt8(ascii: "}") { return position += 1 }
        while true {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw unexpected() }
            try string(into: &nodes)
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw unexpected() }
            position += 1
            try value(into: &nodes, depth: depth)
            if try isLast(UInt8(ascii: "}")) { return }
        }
    }

    private mutating func array(into nodes: inout [Node], depth: Int) throws {
        let own = try begin(.array, into: &nodes, depth)
        defer { nodes[own].next = UInt32(nodes.count) }
        skipSpace()
        if byte == UInt8(ascii: "]") { return position += 1 }
        repeat { try value(into: &nodes, depth: depth) } while try !isLast(UInt8(ascii: "]"))
    }

    private mutating func begin(_ kind: JSONKind, into nodes: inout [Node], _ depth: Int) throws -> Int {
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

    private mutating func append(_ kind: JSONKind, from start: Int, to end: Int, spelling: JSONTape.Spelling = .plain, _ nodes: inout [Node]) {
        nodes.append(Node(kind: kind, spelling: spelling, start: UInt32(start), end: UInt32(end), next: UInt32(nodes.count + 1)))
    }

    private mutating func word(_ word: StaticString, _ kind: JSONKind, into nodes: inout [Node]) throws {
        let start = position
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe byte == word.utf8Start[index] else { throw unexpected() }
            position += 1
        }
        append(kind, from: start, to: position, &nodes)
    }

    private mutating func string(into nodes: inout [Node]) throws {
        position += 1
        let start = position
        var isEscaped = false
        var union: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                append(.string, from: start, to: position, spelling: isEscaped ? .escaped : union < 0x80 ? .plain : .wide, &nodes)
                position += 1
                return
            }
            guard byte >= 0x20 else { throw unexpected() }
            union |= byte
            position += 1
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try escape()
            }
        }
        throw unexpected()
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
    private mutating func number(into nodes: inout [Node]) throws {
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
        append(kind, from: start, to: position, &nodes)
    }

    private mutating func digits() throws {
        guard let first = byte, first &- 48 < 10 else { throw unexpected() }
        while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
    }
}
