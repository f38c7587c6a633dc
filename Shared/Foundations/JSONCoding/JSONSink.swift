/// The text as it grows, and which of its arrays and objects are open.
final class JSONSink {
    private var buffer = JSONBuffer(capacity: 1_024)
    /// What closes each of them, from the outermost.
    private var closings: [UInt8] = []
    private var depth = 0

    init() { closings.reserveCapacity(16) }

    var bytes: [UInt8] { buffer.bytes }

    /// Writes a value where the text is now.
    func encode<Value: Encodable>(_ value: Value) throws {
        let (depth, start) = (depth, buffer.count)
        try value.encode(to: JSONWriter(sink: self, depth: depth))
        close(to: depth)
        // A value of no members may not even have asked for a container.
        if buffer.count == start { buffer.append("{}") }
    }

    // MARK: Structure

    /// Opens what a value at `depth` is made of, or goes on with it; the depth inside.
    func enterObject(within depth: Int) -> Int { enter(UInt8(ascii: "{"), UInt8(ascii: "}"), depth) }
    func enterArray(within depth: Int) -> Int { enter(UInt8(ascii: "["), UInt8(ascii: "]"), depth) }

    private func enter(_ opening: UInt8, _ closing: UInt8, _ depth: Int) -> Int {
        if self.depth > depth, closings[depth] == closing {
            close(to: depth + 1)
        } else {
            close(to: depth)
            closings.append(closing)
            self.depth += 1
            buffer.append(opening)
        }
        return depth + 1
    }

    @inline(__always)
    private func close(to depth: Int) { if self.depth > depth { closeSome(to: depth) } }

    @inline(never)
    private func closeSome(to depth: Int) {
        while self.depth > depth, let closing = closings.popLast() {
            buffer.append(closing)
            self.depth -= 1
        }
    }

    /// What comes next stands in the container at `depth`: those inside it are complete.
    @inline(__always)
    func separate(at depth: Int) {
        close(to: depth)
        precondition(self.depth == depth, "a container is written to before the one around it goes on")
        // Nothing but a container that has just been opened ends like this.
        if buffer.last != UInt8(ascii: "{"), buffer.last != UInt8(ascii: "[") { buffer.append(UInt8(ascii: ",")) }
    }

    func name(_ name: String, at depth: Int) {
        separate(at: depth)
        buffer.append(quoted: name)
        buffer.append(UInt8(ascii: ":"))
    }

    // MARK: Scalars

    func null() { buffer.append("null") }

    func flag(_ value: Bool) { buffer.append(value ? "true" : "false") }

    @inline(__always)
    func integer<Value: FixedWidthInteger>(_ value: Value) { integer(isNegative: value < 0, UInt64(value.magnitude)) }

    private func integer(isNegative: Bool, _ magnitude: UInt64) {
        if isNegative { buffer.append(UInt8(ascii: "-")) }
        buffer.append(decimal: magnitude)
    }

    func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "JSON has no \(value)"))
        }
        let text = value.description
        for byte in text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...] { buffer.append(byte) }
    }

    func string(_ text: String) { buffer.append(quoted: text) }
}
