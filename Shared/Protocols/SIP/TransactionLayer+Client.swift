public import Addresses
public import Deadlines

/// The request of ours that a response is awaited for.
struct ClientTransaction: Sendable {
    enum Machine: Sendable {
        case invite(InviteClientTransaction), other(NonInviteClientTransaction)

        var deadline: Instant? {
            switch self {
            case .invite(let machine): machine.deadline
            case .other(let machine): machine.deadline
            }
        }

        var isTerminated: Bool {
            switch self {
            case .invite(let machine): machine.state == .terminated
            case .other(let machine): machine.state == .terminated
            }
        }
    }

    var machine: Machine
    let request: RequestBuilder
    let via: Via
    let bytes: [UInt8]
    let destination: SocketAddress
    /// A CANCEL was asked for before the first provisional response allowed it (§9.1).
    var cancelWhenProceeding = false
    /// Why, as the CANCEL tells (RFC 3326).
    var cancelReason: String?
    var isCancelled = false
    /// The ACK for a failure, kept to be repeated.
    var acknowledgement: [UInt8]?
    var ticket: DeadlineQueue<TransactionLayer.Owner>.Ticket?
}

extension TransactionLayer {
    /// Sends a request and follows it. An ACK makes no transaction: use `acknowledge`.
    public mutating func request(
        _ request: RequestBuilder, to destination: SocketAddress, now: Instant, into outbox: inout Outbox
    ) -> ClientTransactionID {
        let name = newName()
        return self.request(request, as: name, to: destination, now: now, into: &outbox)
    }

    /// The same under a name that its user has chosen before, or that whoever sent it first had: to all who see it, it is then the same
    /// request, sent again. `patience` is how long an INVITE waits for a first response, when it is not timer B.
    public mutating func request(
        _ request: RequestBuilder, as name: TransactionName, to destination: SocketAddress, now: Instant, patience: Interval? = nil,
        into outbox: inout Outbox
    ) -> ClientTransactionID {
        let id = ClientTransactionID(number: newNumber())
        guard clients.count < capacity else {
            outbox.events.append(.transportFailed(id))
            return id
        }
        let machine: ClientTransaction.Machine =
            request.method == .invite
            ? .invite(InviteClientTransaction(timers: timers, now: now, patience: patience))
            : .other(NonInviteClientTransaction(timers: timers, now: now))
        start(id, machine, request, name.via(transport), destination, into: &outbox)
        return id
    }

    private mutating func start(
        _ id: ClientTransactionID, _ machine: ClientTransaction.Machine, _ request: RequestBuilder, _ via: Via,
        _ destination: SocketAddress, into outbox: inout Outbox
    ) {
        let bytes = request.serialised(via: via)
        let transaction = ClientTransaction(
            machine: machine, request: request, via: via, bytes: bytes, destination: destination)
        clientKeys[TransactionKey(clientBranch: via.branch ?? "", method: request.method)] = id
        store(transaction, id)
        send(request, via, bytes, to: destination, into: &outbox)
    }

    /// Sends the ACK of a 2xx, which is a request outside any transaction (§13.2.2.4). Keep it to answer repeated 2xx with it.
    @discardableResult
    public mutating func acknowledge(
        _ request: RequestBuilder, to destination: SocketAddress, into outbox: inout Outbox
    ) -> [UInt8] {
        var via = Via(transport: transport, sentBy: sentBy, branch: newBranch())
        via.parameters.set("rport", nil)
        let bytes = request.serialised(via: via)
        send(request, via, bytes, to: destination, into: &outbox)
        return bytes
    }

    /// Cancels an INVITE of ours: at once when a provisional response has come, else as soon as one comes, never after a final
    /// one (§9.1). The INVITE still ends with a response of its own, usually 487.
    public mutating func cancel(_ id: ClientTransactionID, reason: String? = nil, now: Instant, into outbox: inout Outbox) {
        guard var transaction = clients[id], case .invite(var machine) = transaction.machine, !transaction.isCancelled else {
            return
        }
        transaction.cancelReason = reason ?? transaction.cancelReason
        switch machine.state {
        case .calling:
            transaction.cancelWhenProceeding = true
            store(transaction, id)
        case .proceeding:
            machine.cancelled(now: now)
            transaction.machine = .invite(machine)
            transaction.isCancelled = true
            store(transaction, id)
            sendCancel(of: transaction, now: now, into: &outbox)
        case .completed, .accepted, .terminated:
            return
        }
    }

    /// The connection or socket refused what was to be sent for this transaction.
    public mutating func transportFailed(_ id: ClientTransactionID, into outbox: inout Outbox) {
        guard var transaction = clients[id] else { return }
        var failed = false
        switch transaction.machine {
        case .invite(var machine):
            failed = machine.transportFailed() == .transportFailed
            transaction.machine = .invite(machine)
        case .other(var machine):
            failed = machine.transportFailed() == .transportFailed
            transaction.machine = .other(machine)
        }
        store(transaction, id)
        if failed { outbox.events.append(.transportFailed(id)) }
    }

    /// §9.1: same Request-URI, Call-ID, To, From, CSeq number, Route and topmost Via (so the same branch) as the INVITE.
    private mutating func sendCancel(of invite: ClientTransaction, now: Instant, into outbox: inout Outbox) {
        let original = invite.request
        var cancel = RequestBuilder(
            .cancel, uri: original.uri, from: original.from, to: original.to, callID: original.callID, cseq: original.cseq)
        cancel.routes = original.routes
        if let reason = invite.cancelReason { cancel.add(.reason, reason) }
        let id = ClientTransactionID(number: newNumber())
        start(
            id, .other(NonInviteClientTransaction(timers: timers, now: now)), cancel, invite.via, invite.destination,
            into: &outbox)
    }

    mutating func receiveResponse(_ message: Message, now: Instant, into outbox: inout Outbox) {
        guard message.isUsableResponse, let status = message.status, let key = TransactionKey(response: message) else { return }
        guard let id = clientKeys[key], var transaction = clients[id] else {
            return outbox.events.append(.strayResponse(message, nil))
        }
        // The responses to a CANCEL of ours tell its user nothing.
        let isForUser = transaction.request.method != .cancel
        switch transaction.machine {
        case .other(var machine):
            let action = machine.receive(StatusClass(status), now: now)
            transaction.machine = .other(machine)
            store(transaction, id)
            if action == .deliver, isForUser { outbox.events.append(.response(message, id)) }
        case .invite(var machine):
            let action = machine.receive(StatusClass(status), now: now)
            transaction.machine = .invite(machine)
            perform(action, message, &transaction, into: &outbox)
            store(transaction, id)
            switch action {
            case .deliver, .deliverAndAcknowledge: outbox.events.append(.response(message, id))
            case .deliverAnotherSuccess: outbox.events.append(.strayResponse(message, id))
            case .none, .retransmit, .acknowledge, .timedOut, .transportFailed: break
            }
            if machine.state == .proceeding, transaction.cancelWhenProceeding { cancel(id, now: now, into: &outbox) }
        }
    }

    private func perform(
        _ action: InviteClientTransaction.Action, _ response: Message, _ transaction: inout ClientTransaction,
        into outbox: inout Outbox
    ) {
        switch action {
        case .deliverAndAcknowledge, .acknowledge:
            let acknowledgement = transaction.acknowledgement ?? Self.acknowledgement(of: response, to: transaction)
            transaction.acknowledgement = acknowledgement
            outbox.send(acknowledgement, to: transaction.destination)
        case .none, .retransmit, .deliver, .deliverAnotherSuccess, .timedOut, .transportFailed:
            break
        }
    }

    /// §17.1.1.3: the INVITE's own identity with the To of the response, on the INVITE's branch.
    private static func acknowledgement(of response: Message, to transaction: ClientTransaction) -> [UInt8] {
        let invite = transaction.request
        var ack = RequestBuilder(
            .ack, uri: invite.uri, from: invite.from, to: response.to ?? invite.to, callID: invite.callID, cseq: invite.cseq)
        ack.routes = invite.routes
        return ack.serialised(via: transaction.via)
    }

    mutating func expireClient(_ id: ClientTransactionID, now: Instant, into outbox: inout Outbox) {
        guard var transaction = clients[id] else { return }
        transaction.ticket = nil
        var (retransmits, timedOut) = (false, false)
        switch transaction.machine {
        case .invite(var machine):
            let action = machine.expire(now: now)
            (retransmits, timedOut) = (action == .retransmit, action == .timedOut)
            transaction.machine = .invite(machine)
        case .other(var machine):
            let action = machine.expire(now: now)
            (retransmits, timedOut) = (action == .retransmit, action == .timedOut)
            transaction.machine = .other(machine)
        }
        store(transaction, id)
        if retransmits {
            send(transaction.request, transaction.via, transaction.bytes, to: transaction.destination, into: &outbox)
        }
        if timedOut, transaction.request.method != .cancel { outbox.events.append(.timedOut(id)) }
    }

    /// Puts the transaction back with its deadline, or forgets it when it has terminated.
    private mutating func store(_ transaction: ClientTransaction, _ id: ClientTransactionID) {
        var transaction = transaction
        if let ticket = transaction.ticket { queue.cancel(ticket) }
        transaction.ticket = nil
        if transaction.machine.isTerminated {
            clients[id] = nil
            clientKeys[TransactionKey(clientBranch: transaction.via.branch ?? "", method: transaction.request.method)] = nil
            return
        }
        if let deadline = transaction.machine.deadline { transaction.ticket = queue.insert(.client(id), at: deadline) }
        clients[id] = transaction
    }
}
