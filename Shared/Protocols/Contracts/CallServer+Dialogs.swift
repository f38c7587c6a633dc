/// A dialog of an extension's phone, as those who watch it are told (RFC 4235 §4.1): a leg, seen from the phone.
public struct PhoneDialog: Codable, Sendable, Equatable {
    /// Of the state machine of RFC 4235 §3.7.1; `proceeding` is what nobody here can tell from `trying`.
    public enum State: String, Codable, Sendable { case trying, early, confirmed, terminated }

    /// Why it is terminated.
    public enum Ending: String, Codable, Sendable {
        case cancelled, rejected, error
        case localBye = "local-bye"
        case remoteBye = "remote-bye"
    }

    /// What names it in SIP, from the phone's side. Whoever knows it may take its place (RFC 3891), so not everybody is told.
    public struct Name: Codable, Sendable, Equatable {
        public var callID: String
        /// The phone's; nil as long as it has said nothing.
        public var localTag: String?
        public var remoteTag: String

        public init(callID: String, localTag: String?, remoteTag: String) {
            (self.callID, self.localTag, self.remoteTag) = (callID, localTag, remoteTag)
        }
    }

    /// Of the leg.
    public var id: String
    public var state: State
    public var ending: Ending?
    /// The SIP status it was refused with.
    public var code: Int?
    /// The phone has called.
    public var isInitiator: Bool
    /// The other party's number; `anonymous` where it is not to be told.
    public var remote: String
    public var since: Timestamp
    public var name: Name?

    public init(
        id: String, state: State, ending: Ending? = nil, code: Int? = nil, isInitiator: Bool, remote: String, since: Timestamp, name: Name? = nil
    ) {
        (self.id, self.state, self.ending, self.code) = (id, state, ending, code)
        (self.isInitiator, self.remote, self.since, self.name) = (isInitiator, remote, since, name)
    }
}

/// The dialogs that the phones of an extension have now, oldest first. Every later change of them is told by a `dialog.changed`, until
/// `watchedUntil`.
public struct ListDialogs: Command {
    public static let name = "dialog.list"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var number: String
    public var watchedUntil: Timestamp
    public var limit: Int

    public init(customerID: String, number: String, watchedUntil: Timestamp, limit: Int) {
        (self.customerID, self.number, self.watchedUntil, self.limit) = (customerID, number, watchedUntil, limit)
    }

    public struct Reply: Codable, Sendable, Equatable {
        public var dialogs: [PhoneDialog]
        public init(dialogs: [PhoneDialog]) { self.dialogs = dialogs }
    }
}

/// The data of the event `dialog.changed`: what a watched extension's dialog has become.
public struct DialogChanged: Codable, Sendable, Equatable {
    public static let eventType = "dialog.changed"
    public var number: String
    public var dialog: PhoneDialog

    public init(number: String, dialog: PhoneDialog) { (self.number, self.dialog) = (number, dialog) }
}
