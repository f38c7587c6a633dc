import SIP

/// A subscription to the registration of an extension (RFC 3680, RFC 6665): what a NOTIFY is made from.
struct Watcher: Sendable {
    var id: String
    var customerID: String
    var extensionID: String
    var number: String
    var domain: String
    var dialog: Dialog
    var eventID: String?
    /// In milliseconds of Unix time.
    var expiresAt: Int64
    /// Why it ends, when its time is not simply over.
    var ending: String?
    /// Which NOTIFY of the subscription this is, from 1.
    var notified: Int64
    /// What of the changes this NOTIFY tells.
    var changes: Int64
    /// Contacts that ended since the last NOTIFY was accepted.
    var ended: [EndedContact]

    func isOver(now: Int64) -> Bool { ending != nil || expiresAt <= now }

    /// The NOTIFY (RFC 6665 §4.2.2) with the whole state (RFC 3680 §4.6).
    func notification(_ set: BindingSet?, contact: URI, now: Int64) -> RequestBuilder {
        var dialog = dialog
        var request = dialog.request(.notify)
        request.cseq = UInt32(clamping: notified)
        request.contact = NameAddress(contact)
        request.headers.append(Header(.event, eventID.map { "\(SubscribeRequest.package);id=\($0)" } ?? SubscribeRequest.package))
        let state =
            isOver(now: now)
            ? "terminated;reason=\(ending ?? "timeout")" : "active;expires=\(max(1, (expiresAt - now + 999) / 1_000))"
        request.add(.subscriptionState, state)
        request.contentType = SubscribeRequest.documentType
        let document = RegistrationInformation(
            number: number, domain: domain, extensionID: extensionID, version: notified - 1, bindings: set?.reachable(now: now),
            ended: ended)
        request.body = Array(document.xml(now: now).utf8)
        return request
    }

    /// What becomes of the subscription after the response to a NOTIFY.
    enum Verdict: Sendable, Equatable {
        case told, tryLater, end
    }

    /// RFC 6665 §4.2.2: these, and nobody answering, end it; a trouble that passes does not.
    static func verdict(_ status: Int) -> Verdict {
        switch status {
        case 200..<300: .told
        case 404, 405, 408, 410, 416, 430, 480...485, 489, 501, 604: .end
        default: .tryLater
        }
    }
}

/// A contact that is no more, as the watchers are told once (RFC 3680 §5.2).
struct EndedContact: Sendable, Equatable, Codable {
    enum Event: String, Sendable, Codable {
        case expired, unregistered
        /// By the platform: the flow died, or the extension was deleted.
        case deactivated
    }

    var binding: Binding
    var event: Event
}
