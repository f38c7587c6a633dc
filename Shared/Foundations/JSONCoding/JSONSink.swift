/// The text as it grows, and which of its arrays and objects are open.
final class JSONSink {
    private enum Bracket: UInt8 { case object, array }

    private struct Open {
        let bracket: Bracket
        var isEmpty = true
    }

    private(set) var bytes: [UInt8] = []
    private var open: [Open] = []

    init() {
        bytes.reserveCapacity(512)
        open.reserveCapacity(8)
    }

    /// Writes a value where the text is now.
    func encode(_ value: some Encodable) throws {
        let (depth, start) = (open.count, bytes.count)
        try value.encode(to: JSONWriter(sink: self, depth: depth))
        close(to: depth)
        // A value of no members may not even have asked for a container.
        if bytes.count == start { bytes.append(contentsOf: [UInt8(ascii: "{"), UInt8(ascii: "}")]) }
    }

    // MARK: Structure

    /// Opens what a value at `depth` is made of, or goes on with it; the depth inside.
    func enterObject(within depth: Int) -> Int { enter(.object, UInt8(ascii: "{"), depth) }
    func enterArray(within depth: Int) -> Int { enter(.array, UInt8(ascii: "["), depth) }

    private func enter(_ bracket: Bracket, _ byte: UInt8, _ depth: Int) -> Int {
        if open.count > depth, open[depth].bracket == bracket {
            close(to: depth + 1)
        } else {
            close(to: depth)
            open.append(Open(bracket: bracket))
            bytes.append(byte)
        }
        return depth + 1
    }

    private func close(to depth: Int) {
        while open.count > depth, let last = open.popLast() { bytes.append(last.bracket == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")) }
    }

    /// What comes next stands in the container at `depth`: those inside it are complete.
    func separate(at depth: Int) {
        close(to: depth)
        precondition(open.count == depth, "a container is written to before the one around it goes on")
        if open[depth - 1].isEmpty { open[depth - 1].isEmpty = false } else { bytes.append(UInt8(ascii: ",")) }
    }

    func name(_ name: String, at depth: Int) {
        separate(at: depth)
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    // MARK: Scalars

    func null() { bytes.append(contentsOf: [UInt8(ascii: "n"), UInt8(ascii: "u"), UInt8(ascii: "l"), UInt8(ascii: "l")]) }

    func flag(_ value: Bool) { value ? bytes.append(contentsOf: "true".utf8) : bytes.append(contentsOf: "false".utf8) }

    func integer(_ value: some FixedWidthInteger) {
        guard value.magnitude > 9 || value < 0 else { return bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = value.magnitude
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
            rest = quotient
        } while rest > 0
        bytes[start...].reverse()
    }

    func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "JSON has no \(value)"))
        }
        let text = value.description
        bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
    }

    func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices {
                let byte = unsafe utf8[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                escape(byte)
                start = index + 1
            }
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// RFC 8259 §7.
    private func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: (byte < 16 ? "u000" : "u00").utf8)
            bytes.append(contentsOf: String(byte, radix: 16).utf8)
        }
    }
}
