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

    /// The keep-alive of RFC 5626 §3.5.1 and its answer.
    public static let ping: [UInt8] = [13, 10, 13, 10]
    public static let pong: [UInt8] = [13, 10]

    /// What a started message is waiting for.
    public enum Phase: Hashable, Sendable { case between, headers, body }

    private let limits: Limits
    private var buffer: [UInt8] = []
    /// Where the first byte that is not yet part of an output lies: outputs are cut off together, once per `append`.
    private var start = 0
    /// How far the search for the end of the headers has come, so that a slow sender does not make it quadratic.
    private var searched = 0
    private var known: Int?
    private var failed = false
    /// The message that ended the stream, as far as it had come: enough to tell its sender.
    public private(set) var refused: [UInt8] = []

    public init(limits: Limits = Limits()) { self.limits = limits }

    public var bufferedCount: Int { buffer.count - start }

    public var phase: Phase { bufferedCount == 0 ? .between : known == nil ? .headers : .body }

    public mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            searched = max(searched - start, 0)
            start = 0
        }
        buffer += bytes
    }

    /// The next complete message or keep-alive, or nil until more bytes come.
    public mutating func next() throws(ParseError) -> Output? {
        guard !failed else { return nil }
        do {
            return try takeNext()
        } catch {
            failed = true
            refused = Array(buffer[start..<min(buffer.count, start + limits.messageLength)])
            (buffer, start) = ([], 0)
            throw error
        }
    }

    /// Reads what a connection has brought, as a server does: `answer` sends the answer to a ping, `take` gets each message.
    public mutating func read(
        _ bytes: Span<UInt8>, answer: ([UInt8]) -> Void, take: (Message) -> Void
    ) throws(ParseError) {
        append(bytes.array())
        while let output = try next() {
            switch output {
            case .message(let message): take(message)
            case .ping: answer(Self.pong)
            case .pong: break
            }
        }
    }

    private mutating func takeNext() throws(ParseError) -> Output? {
        guard bufferedCount > 0 else { return nil }
        if buffer[start] == 13 { return try takeKeepAlive() }
        guard let total = try messageLength() else { return nil }
        guard bufferedCount >= total else { return nil }
        let message = try Message.parse(Array(buffer[start..<start + total]), limits: limits)
        consume(total)
        return .message(message)
    }

    /// How long the first message will be; nil until its headers are complete. Found once per message.
    private mutating func messageLength() throws(ParseError) -> Int? {
        if let known { return known }
        guard let end = headersEnd() else {
            guard bufferedCount <= limits.messageLength else { throw .tooLong }
            return nil
        }
        var pass = IndexPass(limits: limits)
        try pass.run(buffer.span.extracting(start..<end))
        guard let length = pass.contentLength else { throw .missingContentLength }
        let headers = end - start
        guard headers + length <= limits.messageLength else { throw .tooLong }
        known = headers + length
        return known
    }

    private mutating func takeKeepAlive() throws(ParseError) -> Output? {
        guard bufferedCount >= 2 else { return nil }
        guard buffer[start + 1] == 10 else { throw .controlByte }
        // A single line end may be half of a ping: the second half decides, whenever it comes.
        if bufferedCount >= 4, buffer[start + 2] == 13, buffer[start + 3] == 10 {
            consume(4)
            return .ping
        }
        if bufferedCount == 3, buffer[start + 2] == 13 { return nil }
        consume(2)
        return .pong
    }

    /// The offset behind the empty line; nil when it has not come yet.
    private mutating func headersEnd() -> Int? {
        var index = max(searched, start + 3)
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

    /// A silent connection keeps no memory.
    private mutating func consume(_ count: Int) {
        start += count
        if start == buffer.count { (buffer, start) = ([], 0) }
        (searched, known) = (0, nil)
    }
}
