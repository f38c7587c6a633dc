import Addresses
import Bytes
import SIP

/// What SIP remembers of a leg: enough to send and to recognise every request of its dialog, and to go on with those that are on
/// their way (RELIABILITY §4.4).
struct SIPState: Codable, Sendable {
    /// Where the customer's numbers live: the host of From and To.
    var domain: String
    /// Inbound: whom the phone dialled, as it is looked up.
    var dialled: String?
    var dialog: Dialog?
    /// Outbound: the INVITE of each target has a Call-ID and a tag of its own, so that each makes a dialog of its own.
    var branches: [Int: Branch] = [:]
    /// The INVITE of the phone's, until its 200 is acknowledged.
    var invite: Received?
    /// A re-INVITE of the phone's, likewise.
    var reinvite: Received?
    /// Our BYE.
    var bye: Sent?
    /// Our REFER, until it is answered.
    var refer: Sent?
    /// Our last NOTIFY, until it is answered.
    var notice: Notice?
    /// Our re-INVITE.
    var offering: Sent?
    /// Inbound: nil when the phone knows nothing of acknowledged provisional responses.
    var provisionals: Provisionals?
    /// Outbound: until one of them is confirmed.
    var early: [Early]?
    /// Nil: the session does not expire.
    var timer: SessionTimer?
    /// Min-SE of who refused a session for being short.
    var minimumSession: Int?
    var refresh: Refresh?
    /// The tag of the early dialog whose new offer the relay is asked about.
    var updating: String?
    /// The Q.850 cause that the phone gave when it hung up.
    var theirCause: Int?
    /// The phone takes UPDATE.
    var takesUpdate: Bool?
    /// What its last requests were answered with.
    var answers: [Answer]?
    /// Max-Forwards of the INVITE that has made the leg, or that it sends: one less than that of the call it belongs to, so that calls which lead to each
    /// other end (RFC 7332). Nil: as many as a new request has (RFC 3261 §8.1.1.6).
    var hops: Int?

    struct Branch: Codable, Sendable, Equatable {
        var callID: String
        var localTag: String
        /// The INVITE of that name is the same INVITE, whoever sends it.
        var name: TransactionName?
        /// Its CSeq number when that is not 1.
        var sequence: UInt32?
    }

    /// A request of ours within the dialog.
    struct Sent: Codable, Sendable, Equatable {
        var name: TransactionName
        var sequence: UInt32
    }

    /// A request of the phone's, as it was received, and from where.
    struct Received: Codable, Sendable, Equatable {
        /// In base 64.
        private var message: String
        var source: SocketAddress

        init(_ message: Message, from source: SocketAddress) { (self.message, self.source) = (Base64.encode(message.bytes), source) }

        var bytes: [UInt8]? { Base64.decode(message.utf8) }
    }

    /// All Call-IDs that messages of the leg bear.
    var callIDs: [String] {
        var all = branches.values.map(\.callID)
        if let callID = dialog?.callID, !all.contains(callID) { all.append(callID) }
        return all
    }
}
