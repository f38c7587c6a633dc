internal import Bytes

/// Cuts a byte stream into messages by their Content-Length, which is mandatory here (RFC 3261 §18.3, RFC 5626 §3.5.1).
///
/// After an error the stream has lost its framing: the connection is to be closed.
public struct MessageFramer: Sendable {
    public enum Output: Sendable {
        case message(Message)
        /// Two line ends between messages: a ping, to be answered with one line end.
        case ping
        /// One line end: the answer to our own ping.
        case pong
    }

    private let limits: Limits
    private var buffer: [UInt8] = []
    /// How far the search for the end of the headers has come, so that a slow sender does not make it quadratic.
    private var searched = 0
    private var known: Int?
    private var failed = false

    public init(limits: Limits = Limits()) { self.limits = limits }

    public var bufferedCount: Int { buffer.count }

    public mutating func append(_ bytes: [UInt8]) { buffer += bytes }

    /// The next complete message or keep-alive, or nil until more bytes come.
    public mutating func next() throws(ParseError) -> Output? {
        guard !failed else { return nil }
        do {
            return try takeNext()
        } catch {
            failed = true
            buffer = []
            throw error
        }
    }

    private mutating func takeNext() throws(ParseError) -> Output? {
        if buffer.first == 13 { return try takeKeepAlive() }
        guard let total = try messageLength() else { return nil }
        guard buffer.count >= total else { return nil }
        let message = try Message.parse(Array(buffer[..<total]), limits: limits)
        consume(total)
        return .message(message)
    }

    /// How long the first message will be; nil until its headers are complete. Found once per message.
    private mutating func messageLength() throws(ParseError) -> Int? {
        if let known { return known }
        guard let end = headersEnd() else {
            guard buffer.count <= limits.messageLength else { throw .tooLong }
            return nil
        }
        var pass = IndexPass(limits: limits)
        try pass.run(buffer.span.extracting(first: end))
        guard let length = pass.contentLength else { throw .missingContentLength }
        guard end + length <= limits.messageLength else { throw .tooLong }
        known = end + length
        return known
    }

    private mutating func takeKeepAlive() throws(ParseError) -> Output? {
        guard buffer.count >= 2 else { return nil }
        guard buffer[1] == 10 else { throw .controlByte }
        // A single line end may be half of a ping: the second half decides, whenever it comes.
        if buffer.count >= 4, buffer[2] == 13, buffer[3] == 10 {
            consume(4)
            return .ping
        }
        if buffer.count == 3, buffer[2] == 13 { return nil }
        consume(2)
        return .pong
    }

    /// The offset behind the empty line; nil when it has not come yet.
    private mutating func headersEnd() -> Int? {
        var index = max(searched, 3)
        while index < buffer.count {
            if buffer[index] == 10, buffer[index - 1] == 13, buffer[index - 2] == 10, buffer[index - 3] == 13 {
                searched = index
                return index + 1
            }
            index += 1
        }
        searched = buffer.count
        return nil
    }

    private mutating func consume(_ count: Int) {
        buffer.removeFirst(count)
        (searched, known) = (0, nil)
    }
}
