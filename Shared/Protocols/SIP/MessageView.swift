internal import Bytes

/// A SIP message in somebody's buffer and the index of its parts: what `Message` is for those who only pass it on. Reading it
/// allocates nothing.
public struct MessageView: ~Escapable {
    public let bytes: Span<UInt8>
    public let fields: Span<Message.Field>
    let frame: Message.Frame

    @_lifetime(copy bytes, copy fields)
    init(bytes: Span<UInt8>, fields: Span<Message.Field>, frame: Message.Frame) {
        (self.bytes, self.fields, self.frame) = (bytes, fields, frame)
    }

    public var start: Message.Start {
        switch frame.start {
        case .request(let known, let name, let uri): .request(method(known, name), uri: uri.range)
        case .response(let status, let reason): .response(status: status, reason: reason.range)
        }
    }

    public var isRequest: Bool { if case .request = frame.start { true } else { false } }
    /// Of a request; nil for a response.
    public var method: Method? {
        if case .request(let known, let name, _) = frame.start { return method(known, name) }
        return nil
    }

    private func method(_ known: Method.Known?, _ name: Slice) -> Method {
        known.map { Method($0) } ?? .other(bytes.text(name.range))
    }

    public var requestURIRange: Range<Int>? {
        if case .request(_, _, let uri) = frame.start { return uri.range }
        return nil
    }

    public var startLineRange: Range<Int> { frame.startLine }
    /// Offset of the empty line that ends the headers.
    public var headersEnd: Int { frame.headersEnd }
    public var bodyRange: Range<Int> { frame.body }

    public func contains(_ name: HeaderName) -> Bool { frame.names.contains(name) }

    public func first(_ name: HeaderName) -> Message.Field? {
        guard frame.names.contains(name) else { return nil }
        for index in fields.indices where fields[index].name == name { return fields[index] }
        return nil
    }

    /// The message with bytes and index of its own.
    public func message() -> Message {
        let end = frame.body.upperBound
        var copy: [Message.Field] = []
        copy.reserveCapacity(fields.count)
        for index in fields.indices { copy.append(fields[index]) }
        return Message(bytes: bytes.extracting(0..<end).array(), fields: copy, frame: frame)
    }

    // MARK: List headers

    /// One value of a comma-separated list and the field it stands in.
    public struct Element: Sendable {
        private let number: UInt32
        private let slice: Slice

        init(field: Int, range: Range<Int>) { (number, slice) = (UInt32(truncatingIfNeeded: field), Slice(range)) }

        public var field: Int { Int(number) }
        public var range: Range<Int> { slice.range }
    }

    /// Goes through the values of all fields of one name.
    public struct Elements {
        private let name: HeaderName
        private var field = 0
        /// Where the next value of the field begins; nil when the next field is due.
        private var position: Int?

        public init(_ name: HeaderName) { self.name = name }

        /// From a field of that name on.
        init(_ name: HeaderName, from field: Int) { (self.name, self.field) = (name, field) }

        public mutating func next(in view: borrowing MessageView) -> Element? {
            guard view.frame.names.contains(name) else { return nil }
            while field < view.fields.count {
                guard view.fields[field].name == name else {
                    field &+= 1
                    continue
                }
                let range = view.fields[field].valueRange
                let start = position ?? range.lowerBound
                let end = view.fields[field].mayHaveComma ? view.elementEnd(from: start, in: range) : range.upperBound
                let element = Element(field: field, range: view.trimmed(start..<end))
                if end < range.upperBound {
                    position = end + 1
                } else {
                    position = nil
                    field &+= 1
                }
                return element
            }
            return nil
        }
    }

    public func firstElement(of name: HeaderName) -> Element? {
        var walk = Elements(name)
        return walk.next(in: self)
    }

    /// The next comma outside quotes and angle brackets, or the end of the value.
    private func elementEnd(from start: Int, in range: Range<Int>) -> Int {
        var (inQuotes, inBrackets) = (false, false)
        var index = start
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "\\") where inQuotes: index &+= 1
            case UInt8(ascii: "\""): inQuotes.toggle()
            case UInt8(ascii: "<") where !inQuotes: inBrackets = true
            case UInt8(ascii: ">") where !inQuotes: inBrackets = false
            case UInt8(ascii: ",") where !inQuotes && !inBrackets: return index
            default: break
            }
            index &+= 1
        }
        return range.upperBound
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start &+= 1 }
        while end > start, Scanner.isBlank(bytes[end - 1]) { end &-= 1 }
        return start..<end
    }

    // MARK: Values, decoded on demand; nil means missing or malformed

    public func via(_ element: Element) -> Via.Layout? {
        var scanner = Scanner(bytes, element.range)
        return Via.Layout(parsing: &scanner)
    }

    public func address(_ element: Element) -> NameAddress.Layout? { address(element.range) }

    func address(_ range: Range<Int>) -> NameAddress.Layout? {
        var scanner = Scanner(bytes, range)
        return NameAddress.Layout(parsing: &scanner)
    }

    var topmostViaElement: (Via.Layout, Element)? {
        guard let element = firstElement(of: .via), let via = via(element) else { return nil }
        return (via, element)
    }

    public var topmostVia: Via.Layout? { firstElement(of: .via).flatMap { via($0) } }

    /// Where the sender of a request hears its response, even when the rest of its topmost Via cannot be read.
    public var replyVia: Via.Layout? {
        guard let element = firstElement(of: .via) else { return nil }
        var scanner = Scanner(bytes, element.range)
        return Via.Layout(parsing: &scanner, isLenient: true)
    }

    public var topmostRoute: NameAddress.Layout? { firstElement(of: .route).flatMap { address($0) } }

    public var callID: Range<Int>? {
        guard let range = first(.callID)?.valueRange, !range.isEmpty else { return nil }
        // A fold has a blank too, and other control bytes stand in quoted pairs only.
        let end = range.upperBound
        guard bytes.firstIndex(of: 32, from: range.lowerBound, to: end) == end, bytes.firstControl(from: range.lowerBound, to: end) == end
        else { return nil }
        return range
    }

    /// A word by which messages of different calls differ nearly always, and those of one call never; nil when it is of none.
    public var callSequence: UInt64? {
        guard let range = first(.callID)?.valueRange, range.count >= 8 else { return nil }
        var (sum, index) = (bytes.word(at: range.upperBound &- 8), range.lowerBound)
        while index &+ 8 <= range.upperBound {
            sum = (sum ^ bytes.word(at: index)) &* 0x9e37_79b9_7f4a_7c15
            sum ^= sum &>> 32
            index &+= 8
        }
        return sum
    }

    /// A hash of the Call-ID that is the same in every process: the key for placing a call.
    public var callIDHash: UInt64? { first(.callID).map { StableHash.hash(bytes.extracting($0.valueRange)) } }

    public var cseq: CSeq? {
        guard let range = first(.cseq)?.valueRange else { return nil }
        var scanner = Scanner(bytes, range)
        return CSeq(parsing: &scanner)
    }

    public func decimal(_ name: HeaderName) -> UInt64? {
        first(name).flatMap { ASCII.decimal(bytes.extracting($0.valueRange)) }
    }
}

/// The memory in which one thread indexes the messages it reads, one after the other.
public struct MessageIndex: ~Copyable {
    private var pass: IndexPass
    private let limits: Limits
    private var frame: Message.Frame?

    public init(limits: Limits = Limits()) { (pass, self.limits) = (IndexPass(limits: limits), limits) }

    /// Indexes one datagram, as `Message.parse` does; what was indexed before is forgotten. What was found before an error stays,
    /// so that a request which cannot be read can still be refused.
    public mutating func read(_ bytes: Span<UInt8>) throws(ParseError) {
        frame = nil
        guard bytes.count <= limits.messageLength else { throw .tooLong }
        do throws(ParseError) {
            try pass.run(bytes)
        } catch {
            frame = pass.frame(bodyLength: 0)
            throw error
        }
        let available = bytes.count - pass.position
        frame = pass.frame(bodyLength: min(pass.contentLength ?? available, available))
        guard pass.contentLength ?? 0 <= available else { throw .truncatedBody }
    }

    /// The message that was read from these bytes; nil when there was not even a start line.
    @_lifetime(borrow self, copy bytes)
    public func view(of bytes: Span<UInt8>) -> MessageView? {
        guard let frame else { return nil }
        return MessageView(bytes: bytes, fields: pass.fields.span, frame: frame)
    }
}
