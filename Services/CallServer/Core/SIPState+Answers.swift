import SIP

/// What requests of a phone within its dialogs were answered with. Its server transaction repeats an answer that was lost (RFC 3261 §17.2.2),
/// but not for who comes after it, nor on another path; the CSeq of the dialog has gone on by then, and 500 would be the answer (§12.2.2).
extension SIPState {
    struct Answer: Codable, Sendable, Equatable {
        /// The phone's in the dialog: each fork counts for itself.
        var tag: String
        var sequence: UInt32
        var method: String
        var code: Int
        /// A session description.
        var body: String?
    }

    /// Answers that are kept: a phone has one request under way, or a few that do not wait for each other.
    static let mostAnswers = 4

    /// Remembers an answer in place of what was answered before.
    mutating func remember(_ answer: Answer) {
        var kept = (answers ?? []).filter { !answer.isForTheSame(as: $0) }
        kept.append(answer)
        answers = Array(kept.suffix(Self.mostAnswers))
    }

    /// Both tags fit (V14).
    func isOfItsDialogs(_ request: Message) -> Bool {
        dialog?.matches(request) == true || early?.contains { $0.dialog.matches(request) } == true
    }

    /// What the same request was answered with; nil when that is not known any more, or not yet.
    func answer(to request: Message) -> Answer? {
        guard let cseq = request.cseq, let tag = request.from?.tag else { return nil }
        return answers?.last { $0.tag == tag && $0.sequence == cseq.number && $0.method == cseq.method.name }
    }
}

extension SIPState.Answer {
    /// Nil for what is not answered, is no dialog's, or is the INVITE that makes one.
    init?(to request: Message, code: Int, body: String?) {
        guard code >= 200, request.to?.tag != nil, let cseq = request.cseq, let tag = request.from?.tag,
            cseq.method != .ack, cseq.method != .cancel
        else { return nil }
        self.init(tag: tag, sequence: cseq.number, method: cseq.method.name, code: code, body: body)
    }

    fileprivate func isForTheSame(as other: Self) -> Bool { (tag, sequence, method) == (other.tag, other.sequence, other.method) }
}
