public import Addresses

/// A response to a received request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are the request's, the rest is given.
public struct ResponseBuilder: Sendable {
    public let request: Message
    public var status: Int
    public var reason: String?
    /// Added to the To of the request when that has no tag.
    public var toTag: String?
    /// Wanted in every response that makes a dialog (§12.1.1).
    public var copiesRecordRoute = false
    public var contact: NameAddress?
    /// Where the request really came from, which its topmost Via then says (§18.2.1, RFC 3581 §4).
    public var source: SocketAddress?
    public var headers: [Header] = []
    public var body: [UInt8] = []
    public var contentType: String?

    public init(_ request: Message, _ status: Int, reason: String? = nil, toTag: String? = nil) {
        (self.request, self.status, self.reason, self.toTag) = (request, status, reason, toTag)
    }

    public init(_ request: Message, _ refusal: Refusal, toTag: String? = nil) {
        self.init(request, refusal.status, reason: refusal.reason, toTag: toTag)
    }

    public mutating func add(_ name: HeaderName, _ value: String) { headers.append(Header(name, value)) }

    public func serialised() -> [UInt8] {
        var writer = MessageWriter(response: status, reason: reason)
        let stamped = source.flatMap { request.stampedViaField(source: $0) }
        if let stamped { writer.header(.via, stamped) }
        writer.copy(.via, from: request, behindFirst: stamped != nil)
        if copiesRecordRoute { writer.copy(.recordRoute, from: request) }
        writer.copy(.from, from: request)
        if let toTag, status > 100, let to = request.to, !to.parameters.contains("tag") {
            writer.header(.to, (request.value(.to) ?? "") + ";tag=\(toTag)")
        } else {
            writer.copy(.to, from: request)
        }
        writer.copy(.callID, from: request)
        writer.copy(.cseq, from: request)
        if status == 100 { writer.copy(.timestamp, from: request) }
        if let contact { writer.header(.contact, contact.description) }
        for header in headers { writer.header(header.name, header.value) }
        return writer.finish(body: body, contentType: contentType)
    }
}
