import Contracts
import SIP

/// A subscription to the registration of an extension (RFC 3680) or to the dialogs of its phones (RFC 4235): what a NOTIFY is made from.
struct Watcher: Sendable {
    /// What has ended since the last NOTIFY was accepted.
    enum Ended: Sendable, Equatable {
        case contacts([EndedContact])
        case dialogs([PhoneDialog])

        var count: Int {
            switch self {
            case .contacts(let contacts): contacts.count
            case .dialogs(let dialogs): dialogs.count
            }
        }
    }

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
    var ended: Ended
    /// The extension that watches.
    var watcherNumber = ""

    var package: EventPackage {
        switch ended {
        case .contacts: .registration
        case .dialogs: .dialog
        }
    }

    /// Which document of the subscription this is, from 0.
    var version: Int64 { notified - 1 }

    func isOver(now: Int64) -> Bool { ending != nil || expiresAt <= now }

    /// The NOTIFY (RFC 6665 §4.2.2), with a document of the package.
    func notification(_ document: String, contact: URI, now: Int64) -> RequestBuilder {
        var dialog = dialog
        var request = dialog.request(.notify)
        request.cseq = UInt32(clamping: notified)
        request.contact = NameAddress(contact)
        request.headers.append(Header(.event, eventID.map { "\(package.rawValue);id=\($0)" } ?? package.rawValue))
        let state =
            isOver(now: now)
            ? "terminated;reason=\(ending ?? "timeout")" : "active;expires=\(max(1, (expiresAt - now + 999) / 1_000))"
        request.add(.subscriptionState, state)
        request.contentType = package.documentType
        request.body = Array(document.utf8)
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
