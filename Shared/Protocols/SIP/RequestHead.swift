/// What every request must have, decoded once and where it stands (RFC 3261 §8.1.1, §8.2, §16.3).
public struct RequestHead: Sendable {
    public let method: Method
    public let uri: URI.Layout
    public let via: Via.Layout
    /// The element of the message in which the topmost Via stands.
    public let viaElement: MessageView.Element
    /// Whether a Via claims that the request has passed one of our proxies.
    public let hasPassedUs: Bool
    public let from: NameAddress.Layout
    public let to: NameAddress.Layout
    private let callIDSlice: Slice
    public var callID: Range<Int> { callIDSlice.range }
    public let cseq: UInt32
    public let maxForwards: Int?
    public let topmostRoute: NameAddress.Layout?
    /// The one behind it: the other half of a double Record-Route.
    public let nextRoute: NameAddress.Layout?

    @inline(__always)
    private static var single: Message.Names { Message.Names(.from, .to, .callID, .cseq, .maxForwards, .contentType, .expires) }

    private static func repetition(_ message: borrowing MessageView) -> Refusal {
        for name in HeaderName.allCases where single.contains(name) && message.frame.names.isRepeated(name) {
            return Refusal(400, "Repeated \(name.text)")
        }
        return Refusal(400)
    }

    /// Throws what the request is to be refused with.
    public init(_ message: borrowing MessageView) throws(Refusal) {
        guard let method = message.method, let uriRange = message.requestURIRange else { throw Refusal(400, "Not a Request") }
        guard message.frame.isVersionSupported else { throw Refusal(505) }
        // §19.1.1: headers have no place in a Request-URI, and a proxy may not forward them (RFC 4475 §3.1.2.11).
        guard let uri = URI.Layout(message.bytes, uriRange), uri.headers == nil else { throw Refusal(400, "Bad Request-URI") }
        if message.frame.names.hasRepeated(Self.single) { throw Self.repetition(message) }
        (via, viaElement, hasPassedUs) = try Self.topmostVia(message)
        guard let from = Self.address(message, .from), from.tag != nil || !via.hasUniqueBranch(in: message.bytes) else {
            // RFC 2543 clients (no magic cookie) need not send a From tag (§8.2.6.2).
            throw Refusal(400, "Bad From")
        }
        guard let to = Self.address(message, .to) else { throw Refusal(400, "Bad To") }
        guard let callID = message.callID else { throw Refusal(400, "Bad Call-ID") }
        guard let cseq = message.cseq else { throw Refusal(400, "Bad CSeq") }
        guard cseq.method == method else { throw Refusal(400, "CSeq Method Does Not Match") }
        var maxForwards: Int?
        if message.contains(.maxForwards) {
            guard let number = message.decimal(.maxForwards), number <= 255 else { throw Refusal(400, "Bad Max-Forwards") }
            maxForwards = Int(number)
        }
        guard !message.contains(.expires) || message.decimal(.expires) != nil else { throw Refusal(400, "Bad Expires") }
        guard Self.hasGoodContacts(message) else { throw Refusal(400, "Bad Contact") }
        var (topmostRoute, nextRoute): (NameAddress.Layout?, NameAddress.Layout?) = (nil, nil)
        guard Self.readRoutes(message, &topmostRoute, &nextRoute), Self.areAddresses(message, .recordRoute) else {
            throw Refusal(400, "Bad Route")
        }
        guard uri.scheme != .other || method != .register && EmergencyService.isNamed(by: message.bytes.extracting(uriRange)) else {
            throw Refusal(416)
        }
        (self.method, self.uri, self.from, self.to, callIDSlice) = (method, uri, from, to, Slice(callID))
        (self.cseq, self.maxForwards, self.topmostRoute, self.nextRoute) = (cseq.number, maxForwards, topmostRoute, nextRoute)
    }

    /// The topmost Via, when all of them are well-formed.
    private static func topmostVia(
        _ message: borrowing MessageView
    ) throws(Refusal) -> (Via.Layout, MessageView.Element, hasToken: Bool) {
        var walk = MessageView.Elements(.via)
        guard let first = walk.next(in: message), let topmost = message.via(first) else { throw Refusal(400, "Bad Via") }
        var hasToken = topmost.token != nil
        while let element = walk.next(in: message) {
            guard let via = message.via(element) else { throw Refusal(400, "Bad Via") }
            if via.token != nil { hasToken = true }
        }
        return (topmost, first, hasToken)
    }

    private static func address(_ message: borrowing MessageView, _ name: HeaderName) -> NameAddress.Layout? {
        guard let range = message.first(name)?.valueRange else { return nil }
        return message.address(range)
    }

    /// The two topmost Routes, if they are there; false when any is malformed.
    private static func readRoutes(
        _ message: borrowing MessageView, _ topmost: inout NameAddress.Layout?, _ next: inout NameAddress.Layout?
    ) -> Bool {
        guard message.contains(.route) else { return true }
        var walk = MessageView.Elements(.route)
        while let element = walk.next(in: message) {
            guard let route = message.address(element) else { return false }
            if topmost == nil {
                topmost = route
            } else if next == nil {
                next = route
            }
        }
        return true
    }

    private static func areAddresses(_ message: borrowing MessageView, _ name: HeaderName) -> Bool {
        guard message.contains(name) else { return true }
        var walk = MessageView.Elements(name)
        while let element = walk.next(in: message) {
            guard message.address(element) != nil else { return false }
        }
        return true
    }

    /// A list of addresses, or the star that stands alone (§10.2.2).
    private static func hasGoodContacts(_ message: borrowing MessageView) -> Bool {
        guard let range = message.first(.contact)?.valueRange else { return true }
        if range.count == 1, message.bytes[range.lowerBound] == UInt8(ascii: "*") {
            return !message.frame.names.isRepeated(.contact)
        }
        return areAddresses(message, .contact)
    }
}

/// What a proxy needs of a response to pass it on: the rest is for those who asked.
public struct ResponseHead: Sendable {
    public let status: Int
    public let via: Via.Layout
    public let viaElement: MessageView.Element

    /// Nil when something is missing or malformed.
    public init?(_ message: borrowing MessageView) {
        guard case .response(let status, _) = message.frame.start, message.frame.isVersionSupported,
            let element = message.firstElement(of: .via), let via = message.via(element), message.cseq != nil,
            message.callID != nil, message.contains(.from), message.contains(.to)
        else { return nil }
        (self.status, self.via, viaElement) = (status, via, element)
    }
}

extension Message {
    /// What RFC 3261 §8.1.1, §8.2 and §16.3 demand of every request; nil when nothing is wrong with this one.
    public var requestDefect: Refusal? {
        do throws(Refusal) {
            _ = try RequestHead(view)
            return nil
        } catch { return error }
    }

    /// Whether a response has what a transaction and a dialog need of it.
    public var isUsableResponse: Bool {
        guard ResponseHead(view) != nil, let from = view.first(.from)?.valueRange, let to = view.first(.to)?.valueRange else {
            return false
        }
        return view.address(from) != nil && view.address(to) != nil
    }
}
