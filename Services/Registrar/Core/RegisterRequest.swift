import Bytes
import SIP

/// What a REGISTER asks for, read and checked as a whole (RFC 3261 §10.3 steps 2 to 6) before anything is looked up.
///
/// The edge has authenticated the sender: whose request it is stands in `X-Tandem-Customer` and `P-Asserted-Identity`.
struct RegisterRequest: Sendable, Equatable {
    /// One Contact of the request.
    struct Contact: Sendable, Equatable {
        var uri: URI
        var q: QualityValue
        /// Seconds, from the contact or else from the Expires header; nil when neither says.
        var expires: Int?
        var instanceID: String?
        /// Only where the first hop supports outbound (RFC 5626 §6).
        var regID: Int?

        /// Whether a binding is this contact's: by instance and reg-id where both are used, else by its URI (§10.3 step 7).
        func isSame(as binding: Binding) -> Bool {
            if let instanceID, let regID { return binding.instanceID == instanceID && binding.regID == regID }
            return URI(binding.contact).map { uri.isEquivalent(to: $0) } ?? false
        }
    }

    enum Wish: Sendable, Equatable {
        /// No Contact: only tell what is bound.
        case list
        /// `Contact: *` with `Expires: 0`.
        case removeAll
        case bind([Contact])
    }

    static let customerHeader = "X-Tandem-Customer"
    static let trunkHeader = "X-Tandem-Trunk"
    static let understood: Set<String> = ["path", "outbound", "gruu"]
    /// Where phones that come through the edge send their requests (RFC 3608); the edge says it.
    static let serviceRouteHeader = "X-Tandem-Service-Route"
    /// What the edge wants a phone told that uses outbound.
    static let flowTimerHeader = "X-Tandem-Flow-Timer"
    private static let longestURI = 2_048
    private static let longestToken = 256

    var customer: String
    var number: String
    /// The customer's, in lower case as the edge wrote it.
    var domain: String
    var callID: String
    var cseq: UInt32
    var wish: Wish
    var path: [String]
    var supportsPath: Bool
    var supportsGRUU: Bool
    var serviceRoutes: [String]
    var usesOutbound: Bool
    /// In seconds.
    var flowTimer: UInt64?
    var userAgent: String?

    init(_ message: Message) throws(Refusal) {
        guard let customer = message.value(named: Self.customerHeader), !customer.isEmpty,
            let identity = message.addresses(.pAssertedIdentity)?.first?.uri, let asserted = identity.decodedUser
        else { throw Refusal(403, "Not Authenticated") }
        guard let to = message.to?.uri, let number = to.decodedUser else { throw Refusal(404) }
        // Nobody registers for another (§10.3 step 4).
        guard number == asserted else { throw Refusal(403) }
        guard let callID = message.callID, callID.utf8.count <= Self.longestToken, let cseq = message.cseq else {
            throw Refusal(400, "Bad Call-ID or CSeq")
        }
        guard message.required.allSatisfy(Self.understood.contains) else { throw Refusal(420) }
        guard let paths = message.paths, paths.count <= 10 else { throw Refusal(400, "Bad Path") }
        (self.customer, self.number, self.callID, self.cseq) = (customer, number, callID, cseq.number)
        domain = identity.host
        path = paths.map(\.uri.description)
        supportsPath = message.supported.contains("path")
        supportsGRUU = message.supported.contains("gruu") || message.required.contains("gruu")
        serviceRoutes = message.value(named: Self.serviceRouteHeader).flatMap { NameAddress($0) }.map { [$0.uri.description] } ?? []
        usesOutbound = paths.first?.uri.parameters.contains("ob") ?? false
        flowTimer = message.value(named: Self.flowTimerHeader).flatMap { ASCII.decimal($0.utf8) }
        userAgent = message.value(.userAgent).map { String($0.prefix(Self.longestToken)) }
        switch message.contacts {
        case nil: throw Refusal(400, "Bad Contact")
        case .star:
            guard message.expires == 0 else { throw Refusal(400, "Contact * Needs Expires 0") }
            wish = .removeAll
        case .list(let list) where list.isEmpty: wish = .list
        case .list(let list):
            var contacts: [Contact] = []
            for address in list {
                contacts.append(try Self.contact(address, message, domain: identity.host, usesOutbound: usesOutbound))
            }
            wish = .bind(contacts)
        }
    }

    private static func contact(
        _ address: NameAddress, _ message: Message, domain: String, usesOutbound: Bool
    ) throws(Refusal) -> Contact {
        guard address.uri.description.utf8.count <= longestURI else { throw Refusal(400, "Bad Contact") }
        // RFC 5627 §5.1: a GRUU of ours as the way to reach its owner would be a circle.
        guard !address.uri.parameters.contains("gr") || !ASCII.equalsIgnoringCase(address.uri.host, domain) else {
            throw Refusal(403, "Contact Is a GRUU")
        }
        _ = try PushParameters.read(address.uri)
        var q = QualityValue.highest
        if let text = address.parameters["q"] {
            guard let value = QualityValue(text) else { throw Refusal(400, "Bad q") }
            q = value
        }
        // §20.10: what cannot be read as a number of seconds means an hour.
        let own = address.parameters["expires"].map { ASCII.decimal($0.utf8).map { Int(clamping: min($0, 1 << 32)) } ?? 3_600 }
        let instance = address.parameters["+sip.instance"].flatMap { $0.utf8.count <= longestToken ? $0 : nil }
        let regID = address.parameters["reg-id"].flatMap { ASCII.decimal($0.utf8) }.flatMap { Int32(exactly: $0) }
        return Contact(
            uri: address.uri, q: q, expires: own ?? message.expires, instanceID: instance,
            regID: usesOutbound && instance != nil ? regID.map(Int.init) : nil)
    }
}
