public import Addresses
internal import Bytes
public import Cryptography

/// All that a stateless proxy changes in a message it passes on (RFC 3261 §16.6, §16.11), written out in one pass over the header
/// fields into memory that is there already. Everything not named stays byte for byte as it came.
public struct Forwarding: Sendable {
    /// Our own Via: the branch follows from the request alone, the way back is signed.
    public struct Hop: Sendable {
        public var transport: Transport
        public var sentBy: SocketAddress
        public var branch: StatelessForwarding.Branch
        public var wayBack: FlowToken

        public init(_ transport: Transport, sentBy: SocketAddress, branch: StatelessForwarding.Branch, wayBack: FlowToken) {
            (self.transport, self.sentBy, self.branch, self.wayBack) = (transport, sentBy, branch, wayBack)
        }
    }

    /// A URI of ours with a token: for Record-Route, Path or the private flow header.
    public struct Route: Sendable {
        public var token: FlowToken
        public var address: SocketAddress
        /// What the transport parameter says; none for UDP.
        public var transport: Transport
        /// Says in a Path that the first hop supports outbound (RFC 5626 §5.1).
        public var isOutbound = false

        public init(_ token: FlowToken, at address: SocketAddress, over transport: Transport = .udp) {
            (self.token, self.address, self.transport) = (token, address, transport)
        }

        /// `hop`: a token that was written before, and where.
        fileprivate func write(into output: inout OutputSpan<UInt8>, key: SipHash, after hop: (FlowToken, Range<Int>)?) {
            output.write("<sip:")
            if let hop, hop.0 == token {
                output.write(again: hop.1)
            } else {
                token.write(into: &output, key: key)
            }
            output.append(UInt8(ascii: "@"))
            address.write(into: &output)
            output.write(";lr")
            switch transport {
            case .udp: break
            case .tcp: output.write(";transport=tcp")
            case .tls: output.write(";transport=tls")
            // One word for both (RFC 7118 §5.2.2).
            case .ws, .wss: output.write(";transport=ws")
            }
            if isOutbound { output.write(";ob") }
            output.append(UInt8(ascii: ">"))
        }
    }

    /// What is recorded of the way the request takes.
    public enum Recording: Sendable {
        case none
        /// The double Record-Route of RFC 5658: the upper one for those the request goes to.
        case routes(upper: Route, lower: Route)
        /// RFC 3327; and what the registrar gives out as Service-Route (RFC 3608).
        case path(Route, service: Route?)
        /// The flow an in-dialog request came by, for the inside.
        case flow(Route)
    }

    /// What the other side must not see.
    public enum Stripping: Sendable {
        /// The headers that only the inside writes, for the inside.
        case privateOnly
        /// These, and what our own servers assert or charge by (RFC 3325 §5, RFC 7315 §5).
        case assertedIdentity
        /// The private ones, and credentials, which end here (§22.3): of a peer whose assertions are believed.
        case credentials
        /// All of these, and everything outsiders may not assert.
        case assertions
    }

    /// Whose request it is, as we assert it.
    public struct Identity: Sendable, Hashable {
        public enum Party: Sendable, Hashable {
            /// Asserted in P-Asserted-Identity.
            case user(String)
            /// A trunk of that name, which may say of whom its requests are.
            case trunk(String)
        }

        public var party: Party
        public var domain: String
        public var customer: String

        public init(_ party: Party, domain: String, customer: String) {
            (self.party, self.domain, self.customer) = (party, domain, customer)
        }

        public init(user: String, domain: String, customer: String) {
            self.init(.user(user), domain: domain, customer: customer)
        }

        /// No less than its names take.
        fileprivate var length: Int {
            switch party {
            case .user(let name), .trunk(let name): 3 * name.utf8.count + domain.utf8.count + customer.utf8.count
            }
        }
    }

    /// Nil for a response, whose topmost Via is taken off instead.
    public var hop: Hop?
    /// Where the message came from, to be noted in the Via of its sender.
    public var source: SocketAddress?
    /// That Via, when it has been read already.
    public var topmostVia: (Via.Layout, MessageView.Element)?
    public var maxForwards: Int?
    /// How many of the topmost Routes are taken off.
    public var poppedRoutes = 0
    public var recording = Recording.none
    public var stripping: Stripping
    public var identity: Identity?
    /// What the registrar is to tell a phone as its Flow-Timer, in seconds (RFC 5626 §4.4).
    public var flowTimer: Int?

    public init(hop: Hop?, stripping: Stripping) { (self.hop, self.stripping) = (hop, stripping) }

    /// More than any message grows by, but for the names in its identity.
    private static let growth = 1_024

    /// The message as it leaves; false, with nothing written, when there is no room for it.
    public func write(_ message: borrowing MessageView, into output: inout OutputSpan<UInt8>, key: SipHash) -> Bool {
        let names = identity?.length ?? 0
        guard output.freeCapacity - message.bytes.count >= Self.growth + names else { return false }
        var copied = message.startLineRange.lowerBound
        var pass = Pass(vias: hop == nil ? 1 : 0, routes: poppedRoutes, isRecorded: false, isFirstVia: true)
        for index in message.fields.indices {
            let field = message.fields[index]
            switch field.name {
            case .via: writeVia(field, index, message, &copied, &pass, &output, key)
            case .maxForwards:
                guard let maxForwards else { break }
                Self.copy(message, &copied, to: field.valueRange.lowerBound, &output)
                output.write(decimal: maxForwards)
                copied = field.valueRange.upperBound
            case .route:
                if pass.routes == .max {
                    Self.cut(field.lineRange, message, &copied, &output)
                } else if pass.routes > 0, let range = message.leadingValues(ofField: index, count: &pass.routes) {
                    Self.cut(range, message, &copied, &output)
                }
            case .recordRoute:
                if case .routes = recording, !pass.isRecorded { record(field, message, &copied, &pass, &output, key) }
            case .path:
                if case .path = recording, !pass.isRecorded { record(field, message, &copied, &pass, &output, key) }
            default:
                if isStripped(field, message) { Self.cut(field.lineRange, message, &copied, &output) }
            }
        }
        Self.copy(message, &copied, to: message.headersEnd, &output)
        if !pass.isRecorded { writeRecording(&output, key, pass) }
        writeIdentity(&output)
        if let flowTimer {
            output.write("X-Tandem-Flow-Timer: ")
            output.write(decimal: flowTimer)
            output.write("\r\n")
        }
        if hop != nil, maxForwards != nil, !message.contains(.maxForwards) {
            output.write("Max-Forwards: ")
            output.write(decimal: maxForwards ?? 70)
            output.write("\r\n")
        }
        // The next hop may be a stream (§18.3).
        if !message.contains(.contentLength) {
            output.write("Content-Length: ")
            output.write(decimal: message.bodyRange.count)
            output.write("\r\n")
        }
        Self.copy(message, &copied, to: message.bodyRange.upperBound, &output)
        return true
    }

    /// The message as it leaves, in memory of its own: for a connection.
    public func bytes(of message: borrowing MessageView, key: SipHash) -> [UInt8]? {
        let names = identity?.length ?? 0
        var isWritten = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: message.bytes.count + Self.growth + names) { buffer, count in
            var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            isWritten = write(message, into: &output, key: key)
            count = unsafe output.finalize(for: buffer)
        }
        return isWritten ? bytes : nil
    }

    private struct Pass {
        var vias: Int
        var routes: Int
        var isRecorded: Bool
        var isFirstVia: Bool
        /// The way back, once it stands in our Via.
        var wayBack: (FlowToken, Range<Int>)?
    }

    private static func copy(
        _ message: borrowing MessageView, _ copied: inout Int, to end: Int, _ output: inout OutputSpan<UInt8>
    ) {
        guard end > copied else { return }
        output.write(message.bytes.extracting(copied..<end))
        copied = end
    }

    private static func cut(
        _ range: Range<Int>, _ message: borrowing MessageView, _ copied: inout Int, _ output: inout OutputSpan<UInt8>
    ) {
        copy(message, &copied, to: range.lowerBound, &output)
        copied = max(copied, range.upperBound)
    }

    // MARK: Via

    private func writeVia(
        _ field: Message.Field, _ index: Int, _ message: borrowing MessageView, _ copied: inout Int, _ pass: inout Pass,
        _ output: inout OutputSpan<UInt8>, _ key: SipHash
    ) {
        if pass.vias > 0, let range = message.leadingValues(ofField: index, count: &pass.vias) {
            return Self.cut(range, message, &copied, &output)
        }
        guard pass.isFirstVia, let hop else { return }
        pass.isFirstVia = false
        Self.copy(message, &copied, to: field.lineRange.lowerBound, &output)
        output.write("Via: SIP/2.0/")
        switch hop.transport {
        case .udp: output.write("UDP ")
        case .tcp: output.write("TCP ")
        case .tls: output.write("TLS ")
        case .ws: output.write("WS ")
        case .wss: output.write("WSS ")
        }
        hop.sentBy.write(into: &output)
        output.write(";branch=")
        hop.branch.write(into: &output)
        output.write(";rport;tandem=")
        let start = output.count
        hop.wayBack.write(into: &output, key: key)
        pass.wayBack = (hop.wayBack, start..<output.count)
        output.write("\r\n")
        if let source { stamp(source, message, &copied, &output) }
    }

    /// §18.2.1, RFC 3581 §4: where the request really came from, as far as its sender has not said so.
    private func stamp(
        _ source: SocketAddress, _ message: borrowing MessageView, _ copied: inout Int, _ output: inout OutputSpan<UInt8>
    ) {
        guard let (via, element) = topmostVia ?? message.topmostViaElement else { return }
        let isNamed = IPAddress(parsing: message.bytes.extracting(via.host)) == source.address
        guard via.wantsSourcePort || !isNamed || via.received != nil else { return }
        let (first, second) = Self.ordered(via.received, via.rport)
        if let first { Self.cut(first, message, &copied, &output) }
        if let second { Self.cut(second, message, &copied, &output) }
        Self.copy(message, &copied, to: element.range.upperBound, &output)
        if via.wantsSourcePort || !isNamed {
            output.write(";received=")
            source.address.write(into: &output)
        }
        if via.wantsSourcePort {
            output.write(";rport=")
            output.write(decimal: Int(source.port))
        }
    }

    private static func ordered(_ left: Range<Int>?, _ right: Range<Int>?) -> (Range<Int>?, Range<Int>?) {
        guard let left, let right else { return (left ?? right, nil) }
        return left.lowerBound < right.lowerBound ? (left, right) : (right, left)
    }

    // MARK: Routes and identity

    private func record(
        _ field: Message.Field, _ message: borrowing MessageView, _ copied: inout Int, _ pass: inout Pass,
        _ output: inout OutputSpan<UInt8>, _ key: SipHash
    ) {
        Self.copy(message, &copied, to: field.lineRange.lowerBound, &output)
        writeRecording(&output, key, pass)
        pass.isRecorded = true
    }

    private func writeRecording(_ output: inout OutputSpan<UInt8>, _ key: SipHash, _ pass: Pass) {
        switch recording {
        case .none: return
        case .routes(let upper, let lower):
            output.write("Record-Route: ")
            upper.write(into: &output, key: key, after: pass.wayBack)
            output.write("\r\nRecord-Route: ")
            lower.write(into: &output, key: key, after: nil)
        case .path(let route, let service):
            output.write("Path: ")
            route.write(into: &output, key: key, after: pass.wayBack)
            guard let service else { break }
            output.write("\r\nX-Tandem-Service-Route: ")
            service.write(into: &output, key: key, after: nil)
        case .flow(let route):
            output.write("X-Tandem-Flow: ")
            route.write(into: &output, key: key, after: pass.wayBack)
        }
        output.write("\r\n")
    }

    private func writeIdentity(_ output: inout OutputSpan<UInt8>) {
        guard let identity else { return }
        switch identity.party {
        case .user(let user):
            output.write("P-Asserted-Identity: <sip:")
            output.write(text: URI.escapedUser(user))
            output.append(UInt8(ascii: "@"))
            output.write(text: identity.domain)
            output.write(">\r\n")
        case .trunk(let name):
            output.write("X-Tandem-Trunk: ")
            output.write(text: name)
            output.write("\r\nX-Tandem-Domain: ")
            output.write(text: identity.domain)
            output.write("\r\n")
        }
        output.write("X-Tandem-Customer: ")
        output.write(text: identity.customer)
        output.write("\r\n")
    }

    private func isStripped(_ field: Message.Field, _ message: borrowing MessageView) -> Bool {
        switch field.name {
        case .other: return isStripped(unnamed: field.nameRange, message)
        case .pAssertedIdentity: return stripping == .assertions || stripping == .assertedIdentity
        case .authorization, .proxyAuthorization: return stripping == .assertions || stripping == .credentials
        case .pPreferredIdentity, .remotePartyID, .diversion, .historyInfo: return stripping == .assertions
        default: return false
        }
    }

    /// All headers that begin with `P-` hold within a trust domain only (RFC 3427 §4.1); some of them must not leave it.
    private func isStripped(unnamed name: Range<Int>, _ message: borrowing MessageView) -> Bool {
        guard name.count > 2, message.bytes[name.lowerBound + 1] == UInt8(ascii: "-") else { return false }
        switch message.bytes[name.lowerBound] | 32 {
        case UInt8(ascii: "x"): return Self.begins(name, with: "X-Tandem-", length: 9, message)
        case UInt8(ascii: "p"):
            return stripping == .assertions
                || stripping == .assertedIdentity
                    && (Self.begins(name, with: "P-Charging-", length: 11, message)
                        || Self.begins(name, with: "P-Access-Network-Info", length: 21, message))
        default: return false
        }
    }

    private static func begins(
        _ name: Range<Int>, with prefix: StaticString, length: Int, _ message: borrowing MessageView
    ) -> Bool {
        name.count >= length && message.bytes.isEqual(name.lowerBound..<name.lowerBound + length, prefix)
    }
}

extension MessageView {
    /// What to cut to take the first `count` values off the list in one field: the whole line when none remains. Counts down.
    func leadingValues(ofField index: Int, count: inout Int) -> Range<Int>? {
        let field = fields[index]
        var walk = Elements(field.name, from: index)
        var first: Int?
        while let element = walk.next(in: self), element.field == index {
            guard count > 0 else { return first.map { $0..<element.range.lowerBound } }
            first = first ?? element.range.lowerBound
            count &-= 1
        }
        return first == nil ? nil : field.lineRange
    }
}
