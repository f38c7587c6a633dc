public import Addresses

/// A request to be sent (RFC 3261 §8.1.1), complete but for its Via, which whoever sends it puts on top.
public struct RequestBuilder: Sendable {
    public var method: Method
    public var uri: URI
    public var from: NameAddress
    public var to: NameAddress
    public var callID: String
    public var cseq: UInt32
    public var routes: [NameAddress] = []
    public var contact: NameAddress?
    public var maxForwards = 70
    public var headers: [Header] = []
    public var body: [UInt8] = []
    public var contentType: String?

    public init(_ method: Method, uri: URI, from: NameAddress, to: NameAddress, callID: String, cseq: UInt32) {
        (self.method, self.uri, self.from, self.to) = (method, uri, from, to)
        (self.callID, self.cseq) = (callID, cseq)
    }

    /// The first hop: the topmost route, or the request URI (§8.1.2).
    public var nextHop: URI { routes.first?.uri ?? uri }

    /// The address of the first hop when its host is an address.
    public var destination: SocketAddress? { nextHop.socketAddress }

    public mutating func add(_ name: HeaderName, _ value: String) { headers.append(Header(name, value)) }

    public func serialised(via: Via) -> [UInt8] {
        var writer = MessageWriter(request: method, uri: uri.description)
        writer.header(.via, via.description)
        for route in routes { writer.header(.route, route.description) }
        writer.header(.maxForwards, String(maxForwards))
        writer.header(.from, from.description)
        writer.header(.to, to.description)
        writer.header(.callID, callID)
        writer.header(.cseq, "\(cseq) \(method)")
        if let contact { writer.header(.contact, contact.description) }
        for header in headers { writer.header(header.name, header.value) }
        return writer.finish(body: body, contentType: contentType)
    }
}
