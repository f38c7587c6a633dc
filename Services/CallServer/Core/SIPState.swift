import SIP

/// What SIP remembers of a leg: enough to send and to recognise every request of its dialog.
struct SIPState: Codable, Sendable {
    /// Where the customer's numbers live: the host of From and To.
    var domain: String
    var dialog: Dialog?
    /// Outbound: the INVITE of each target has a Call-ID and a tag of its own, so that each makes a dialog of its own.
    var branches: [Int: Branch] = [:]

    struct Branch: Codable, Sendable, Equatable {
        var callID: String
        var localTag: String
    }
}
