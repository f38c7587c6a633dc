/// Writes a new message from top to bottom. Values come from our own code or were parsed before, but a line end in one would
/// smuggle a header in, so line ends become blanks here.
public struct MessageWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(request method: Method, uri: String) {
        bytes.reserveCapacity(1_024)
        append("\(method.name) \(uri) SIP/2.0")
    }

    public init(response status: Int, reason: String? = nil) {
        bytes.reserveCapacity(1_024)
        append("SIP/2.0 \(status) \(reason ?? Status.reason(status))")
    }

    public mutating func header(_ name: HeaderName, _ value: String) { header(name.text, value) }

    public mutating func header(_ name: String, _ value: String) { append("\(name): \(value)") }

    /// Copies the fields of that name as they were received: all, or those behind the first of them.
    public mutating func copy(_ name: HeaderName, from message: Message, behindFirst: Bool = false) {
        var isSkipping = behindFirst
        for field in message.fields where field.name == name {
            if !isSkipping { header(name, message.value(of: field)) }
            isSkipping = false
        }
    }

    /// The empty line and the body; Content-Type only where there is one.
    public consuming func finish(body: [UInt8] = [], contentType: String? = nil) -> [UInt8] {
        if !body.isEmpty, let contentType { header(.contentType, contentType) }
        header(.contentLength, String(body.count))
        bytes += [13, 10]
        bytes += body
        return bytes
    }

    private mutating func append(_ line: String) {
        for byte in line.utf8 { bytes.append(byte == 13 || byte == 10 ? 32 : byte) }
        bytes += [13, 10]
    }
}
