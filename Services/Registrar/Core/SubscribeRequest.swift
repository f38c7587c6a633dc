import Addresses
import Bytes
import SIP

/// What a SUBSCRIBE asks for, read and checked before anything is looked up (RFC 6665 §4.2.1, RFC 3680 §4, RFC 4235 §3).
struct SubscribeRequest: Sendable {
    /// What a registrar grants; in seconds.
    struct Policy: Sendable {
        var minimum = 60
        var maximum = 3_600
        /// Of one extension's registration, and of its dialogs.
        var limit = 20
        var dialogLimit = 50

        func limit(of package: EventPackage) -> Int {
            switch package {
            case .registration: limit
            case .dialog: dialogLimit
            }
        }
    }

    /// Who is watched, and who watches: only in a request that begins a subscription, which the edge has authenticated.
    struct Resource: Sendable, Equatable {
        var customer: String
        var number: String
        var domain: String
        /// The number of the extension that watches.
        var watcher: String
    }

    private static let longestToken = 256

    let package: EventPackage
    let callID: String
    let remoteTag: String
    let cseq: UInt32
    /// The `id` parameter of Event, which tells subscriptions of one dialog apart.
    let eventID: String?
    /// Zero ends the subscription, or only fetches the state once.
    let seconds: Int
    /// Ours, in a request inside a dialog.
    let localTag: String?
    let resource: Resource?

    init(_ message: Message, _ policy: Policy) throws(Refusal) {
        guard let event = message.value(.event), let package = EventPackage(event: event) else { throw Refusal(489) }
        guard message.required.isEmpty else { throw Refusal(420) }
        guard Self.accepts(message, package) else { throw Refusal(406) }
        let parameters = event.split(separator: ";").dropFirst().map { $0.filter { !$0.isWhitespace } }
        // RFC 4235 §3.2: one dialog alone. The watcher would have to be refused all others.
        guard package != .dialog || !parameters.contains(where: { $0.lowercased().hasPrefix("call-id=") }) else {
            throw Refusal(403, "Dialogs Are Not Watched One By One")
        }
        self.package = package
        guard let callID = message.callID, callID.utf8.count <= Self.longestToken, let cseq = message.cseq,
            let remoteTag = message.from?.tag, remoteTag.utf8.count <= Self.longestToken
        else { throw Refusal(400, "Bad Call-ID, CSeq or From") }
        guard message.contact?.uri.opaque == nil, message.contact != nil else { throw Refusal(400, "Bad Contact") }
        (self.callID, self.remoteTag, self.cseq) = (callID, remoteTag, cseq.number)
        eventID = parameters.first { $0.hasPrefix("id=") }.map { String($0.dropFirst(3).prefix(Self.longestToken)) }
        let wanted = message.expires ?? package.fallback
        guard wanted == 0 || wanted >= min(policy.minimum, 3_600) else { throw Refusal(423) }
        seconds = min(wanted, policy.maximum)
        localTag = message.to?.tag
        resource = localTag == nil ? try Self.resource(message) : nil
    }

    /// Any extension of the same customer may watch, its trunks may not. All else is not there, whether it exists or not.
    private static func resource(_ message: Message) throws(Refusal) -> Resource {
        guard let customer = message.value(named: RegisterRequest.customerHeader), !customer.isEmpty,
            message.value(named: RegisterRequest.trunkHeader) == nil, let asserted = message.addresses(.pAssertedIdentity)?.first?.uri
        else { throw Refusal(403, "Not Authenticated") }
        guard let uri = message.requestURI, uri.opaque == nil, let number = uri.decodedUser ?? message.to?.uri.decodedUser,
            IPAddress(uri.host) != nil || ASCII.equalsIgnoringCase(uri.host, asserted.host)
        else { throw Refusal(404) }
        return Resource(customer: customer, number: number, domain: asserted.host, watcher: asserted.decodedUser ?? "")
    }

    private static func accepts(_ message: Message, _ package: EventPackage) -> Bool {
        let types = message.values(.accept).filter { !$0.isEmpty }.map { type in
            type.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        }
        return types.isEmpty || types.contains { [package.documentType, "application/*", "*/*"].contains($0) }
    }

    /// The refusal with what it has to say (RFC 6665 §4.2.1, §7.2).
    static func refusal(_ message: Message, _ refusal: Refusal, _ policy: Policy) -> ResponseBuilder {
        var response = ResponseBuilder(message, refusal)
        switch refusal.status {
        case 489: response.add(.allowEvents, EventPackage.allowed)
        case 406: response.add(.accept, (message.value(.event).flatMap { EventPackage(event: $0) } ?? .registration).documentType)
        case 420: response.add(.unsupported, message.required.joined(separator: ", "))
        case 423: response.add(.minExpires, String(policy.minimum))
        default: break
        }
        return response
    }
}
