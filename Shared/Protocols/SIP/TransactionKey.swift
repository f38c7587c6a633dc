/// What makes a received message part of a transaction (RFC 3261 §17.1.3, §17.2.3).
public struct TransactionKey: Hashable, Sendable {
    let branch: String
    /// Empty for a client transaction: the branch is ours, and the Via that comes back may have gained parameters only.
    let sentBy: String
    let method: Method

    /// Of a response: topmost branch and method of the CSeq.
    public init?(response: Message) {
        guard let branch = response.topmostVia?.branch, let cseq = response.cseq else { return nil }
        self.init(clientBranch: branch, method: cseq.method)
    }

    public init(clientBranch: String, method: Method) { (branch, sentBy, self.method) = (clientBranch, "", method) }

    /// Of a request: topmost branch, sent-by and method, where ACK matches its INVITE. Without the magic cookie the comparison of
    /// RFC 2543 clients is made on everything but the To tag, which an ACK has and its INVITE has not.
    public init?(request: Message) {
        guard let method = request.method else { return nil }
        self.init(request, as: method == .ack ? .invite : method)
    }

    /// The INVITE that a CANCEL is meant for (§9.2).
    public init?(cancelledBy cancel: Message) { self.init(cancel, as: .invite) }

    private init?(_ request: Message, as method: Method) {
        guard let via = request.topmostVia else { return nil }
        self.method = method
        // A branch of our edges is a keyed code over branch and sent-by of the request that one of them received: all of them make
        // the same of it, so a CANCEL or a repetition may come past another edge than its INVITE (§16.11).
        sentBy = via.isOfEdge ? "" : via.sentBy.lowercased()
        if via.hasUniqueBranch, let branch = via.branch {
            self.branch = branch
        } else {
            guard let callID = request.callID, let cseq = request.cseq, let uri = request.requestURIText else { return nil }
            branch = [callID, String(cseq.number), request.from?.tag ?? "", uri, via.branch ?? ""].joined(separator: " ")
        }
    }
}
