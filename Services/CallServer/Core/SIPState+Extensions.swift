import SIP

/// What the extensions of SIP remember of a leg.
extension SIPState {
    /// Provisional responses that are acknowledged (RFC 3262), to an INVITE of the phone's.
    struct Provisionals: Codable, Sendable, Equatable {
        enum Wish: String, Codable, Sendable { case supported, required }

        /// What the INVITE says of it.
        var wish: Wish
        /// The CSeq number of the INVITE.
        var invite: UInt32
        /// The RSeq of the next.
        var next: UInt32
        /// The one that waits for its PRACK; no other is sent meanwhile (§3).
        var pending: Pending?
        /// The one that waits for its turn.
        var queued: Response?
        /// Our description came with one that was acknowledged: the exchange is over (§5).
        var isDescribed = false
    }

    struct Pending: Codable, Sendable, Equatable {
        var sequence: UInt32
        var response: Response
        /// How often it has been sent.
        var sends = 1
    }

    struct Response: Codable, Sendable, Equatable {
        var code: Int
        var body: String?
    }

    /// A dialog that a provisional response to an INVITE of ours has made: each fork of it makes one (RFC 3261 §13.2.2.4).
    struct Early: Codable, Sendable, Equatable {
        var branch: Int
        var dialog: Dialog
        /// The last RSeq that was taken (RFC 3262 §4).
        var responseSequence: UInt32?
        /// Our PRACK for it.
        var prack: Sent?
        /// Its last answer to our offer.
        var answer: String?
        /// The answer came reliably: what it describes next is an offer of its own (RFC 3262 §5).
        var isAnswered = false
        /// It has described itself anew since.
        var isUpdated: Bool?
    }

    /// How far a transfer is, as a phone was told.
    struct Notice: Codable, Sendable, Equatable {
        var sent: Sent
        var code: Int
        /// The CSeq of the REFER.
        var referral: UInt32
        /// Why it is the last, where its code is not final (RFC 6665 §4.1.3).
        var reason: String?
    }

    /// A refresh of the session, or whatever else offers the phone what it has already (RFC 4028 §7.4).
    struct Refresh: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable {
            /// The relay is asked for the offer.
            case asking
            /// The phone has our re-INVITE.
            case offering
            /// The phone has our UPDATE, which has no offer.
            case updating
        }

        var stage: Stage
        var sent: Sent?
        var body: String?
    }

    /// Early dialogs that are kept; a provisional response of one more only rings.
    static let mostEarlyDialogs = 16
}
