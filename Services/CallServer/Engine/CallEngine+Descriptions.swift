import SIP

/// Session descriptions in what arrives, and bodies that are something else.
extension CallEngine {
    /// In a body of several parts, too (RFC 5621 §3.1).
    func sessionDescription(of message: Message) -> String? { message.sessionBody.description.map { message.text($0) } }

    /// Refuses an offer or answer with something beside it that has to be understood and is not (415, RFC 3261 §8.2.3), or whose parts cannot be
    /// told apart.
    func refuseUnknownBody(_ transaction: ServerTransactionID, _ message: Message) -> Bool {
        guard message.method == .invite || message.method == .update || message.method == .prack, let defect = message.sessionBody.defect else {
            return false
        }
        answer(transaction, message, defect == .malformed ? 400 : 415)
        return true
    }

    /// What a 415 to these says (RFC 3261 §21.4.13).
    static let whatIsAccepted = [Header(.accept, SessionBody.accepted), Header("Accept-Encoding", "identity")]
}
