internal import Bytes

/// What a proxy changes in a message it forwards: insertions and removals at offsets of the received bytes, written out once.
/// Everything not named stays byte for byte as it came.
public struct Edits: Sendable {
    private struct Edit: Sendable {
        let range: Range<Int>
        let text: [UInt8]
    }

    public let message: Message
    private var edits: [Edit] = []

    public init(of message: Message) { self.message = message }

    /// Adds a header above all others; of several, the one added last stands on top.
    public mutating func prepend(_ name: HeaderName, _ value: String) { prepend(name.text, value) }

    public mutating func prepend(_ name: String, _ value: String) {
        let offset = message.startLineRange.upperBound + 2
        edits.insert(Edit(range: offset..<offset, text: line(name, value)), at: 0)
    }

    /// Adds a header above the first field of that name, or below all headers when there is none.
    public mutating func push(_ name: HeaderName, _ value: String) {
        let offset = message.first(name)?.lineRange.lowerBound ?? message.headersEnd
        edits.insert(Edit(range: offset..<offset, text: line(name.text, value)), at: 0)
    }

    /// Adds a header below all others.
    public mutating func append(_ name: HeaderName, _ value: String) { append(name.text, value) }

    public mutating func append(_ name: String, _ value: String) {
        edits.append(Edit(range: message.headersEnd..<message.headersEnd, text: line(name, value)))
    }

    public mutating func removeAll(_ name: HeaderName) {
        for field in message.fields where field.name == name { remove(field) }
    }

    /// Removes every field whose name starts with `prefix`, in any case.
    public mutating func removeAll(prefixed prefix: String) {
        for field in message.fields where field.name == .other {
            let name = message.name(of: field)
            if name.utf8.count >= prefix.utf8.count, ASCII.equalsIgnoringCase(name.prefix(prefix.utf8.count), prefix) {
                remove(field)
            }
        }
    }

    public mutating func remove(_ field: Message.Field) { edits.append(Edit(range: field.lineRange, text: [])) }

    /// Takes the first `count` values off a list header: the topmost Via or Route. Whole lines go where no value remains.
    public mutating func pop(_ name: HeaderName, count: Int = 1) {
        let elements = message.elements(of: name)
        let removed = elements.prefix(count)
        for (index, field) in message.fields.enumerated() where field.name == name {
            let gone = removed.filter { $0.field == index }.count
            guard gone > 0 else { break }
            let mine = elements.filter { $0.field == index }
            if gone == mine.count {
                remove(field)
            } else {
                edits.append(Edit(range: mine[0].range.lowerBound..<mine[gone].range.lowerBound, text: []))
            }
        }
    }

    /// Puts another value in the place of the topmost one of a list header.
    public mutating func replaceFirst(_ name: HeaderName, _ value: String) {
        guard let element = message.firstElement(of: name) else { return }
        edits.append(Edit(range: element.range, text: Array(value.utf8)))
    }

    /// Sets a header that stands once: its value is replaced, or the header appended.
    public mutating func set(_ name: HeaderName, _ value: String) {
        guard let field = message.first(name) else { return append(name, value) }
        edits.append(Edit(range: field.valueRange, text: Array(value.utf8)))
    }

    public mutating func replaceRequestURI(_ uri: String) {
        guard case .request(_, let range) = message.start else { return }
        edits.append(Edit(range: range, text: Array(uri.utf8)))
    }

    /// The edited message. A missing Content-Length is added, since the next hop may be a stream (§18.3).
    public consuming func serialised() -> [UInt8] {
        if !message.contains(.contentLength) { append(.contentLength, String(message.bodyRange.count)) }
        // Stable by offset: edits made at the same place keep the order in which they stand here.
        let ordered = edits.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        let bytes = message.bytes
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.text.count })
        var position = message.startLineRange.lowerBound
        for (_, edit) in ordered {
            if edit.range.lowerBound > position { output += bytes[position..<edit.range.lowerBound] }
            output += edit.text
            position = max(position, edit.range.upperBound)
        }
        output += bytes[position...]
        return output
    }

    private func line(_ name: String, _ value: String) -> [UInt8] {
        var text = Array(name.utf8)
        text += [UInt8(ascii: ":"), 32]
        text += value.utf8
        text += [13, 10]
        return text
    }
}
