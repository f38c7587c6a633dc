public import Addresses

/// What a layer does for one that goes on with the transactions of another.
extension TransactionLayer {
    /// A name for a request that is sent later.
    public mutating func newName() -> TransactionName { TransactionName(sentBy: sentBy, branch: newBranch()) }

    /// Whether a message belongs to a transaction that is here.
    public func recognises(_ message: Message) -> Bool {
        if message.isRequest {
            guard let key = message.method == .cancel ? TransactionKey(cancelledBy: message) : TransactionKey(request: message) else {
                return false
            }
            return serverKeys[key] != nil || message.method == .ack && AcknowledgementKey(message).map { unacknowledged[$0] != nil } == true
        }
        return TransactionKey(response: message).map { clientKeys[$0] != nil } ?? false
    }

    /// Goes on with a request that another layer received and did not answer to the end; it stands as that layer stamped it. One that
    /// is here already, because it was sent again, is that one.
    public mutating func adopt(
        _ request: Message, from source: SocketAddress, over arrival: Transport? = nil
    ) -> ServerTransactionID? {
        guard let method = request.method, method != .ack, method != .cancel, let key = TransactionKey(request: request) else { return nil }
        if let id = serverKeys[key] { return id }
        guard servers.count < capacity else { return nil }
        let id = ServerTransactionID(number: newNumber())
        let machine: ServerTransaction.Machine =
            method == .invite ? .invite(InviteServerTransaction(timers: timers)) : .other(NonInviteServerTransaction(timers: timers))
        serverKeys[key] = id
        servers[id] = ServerTransaction(machine: machine, request: request, key: key, wayBack: wayBack(of: request, source, arrival))
        return id
    }

    /// Sends the 100 of an INVITE that has had no response yet.
    public mutating func trying(_ id: ServerTransactionID, into outbox: inout Outbox) {
        guard var transaction = servers[id], transaction.lastResponse == nil, case .invite(let machine) = transaction.machine,
            machine.state == .proceeding
        else { return }
        let trying = ResponseBuilder(transaction.request, 100).serialised()
        transaction.lastResponse = trying
        servers[id] = transaction
        send(trying, back: transaction.wayBack, into: &outbox)
    }

    /// Forgets a request without a word: it is somebody else's now.
    public mutating func forget(_ id: ServerTransactionID) {
        guard let transaction = servers.removeValue(forKey: id) else { return }
        if let ticket = transaction.ticket { queue.cancel(ticket) }
        if let success = transaction.success { unacknowledged[success.key] = nil }
        serverKeys[transaction.key] = nil
    }

    /// The same for a request of ours: nothing is repeated, and what comes back for it belongs to nobody here.
    public mutating func forget(_ id: ClientTransactionID) {
        guard let transaction = clients.removeValue(forKey: id) else { return }
        if let ticket = transaction.ticket { queue.cancel(ticket) }
        clientKeys[TransactionKey(clientBranch: transaction.via.branch ?? "", method: transaction.request.method)] = nil
    }
}
