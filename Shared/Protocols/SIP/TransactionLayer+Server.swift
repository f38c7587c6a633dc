internal import Addresses
internal import Bytes
public import Deadlines

/// A request of somebody else's that is being answered.
struct ServerTransaction: Sendable {
    enum Machine: Sendable {
        case invite(InviteServerTransaction), other(NonInviteServerTransaction)

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
    let request: Message
    let key: TransactionKey
    let wayBack: TransactionLayer.WayBack
    var lastResponse: [UInt8]?
    /// The tag we put into To, so that the answer to a CANCEL bears the same (§9.2).
    var toTag: String?
    var isCancelled = false
    /// The CANCEL that is answered together with this request.
    var cancel: HeldCancel?
    var success: SuccessRetransmission?
    var ticket: DeadlineQueue<TransactionLayer.Owner>.Ticket?

    var deadline: Instant? {
        guard let success else { return machine.deadline }
        return machine.deadline.map { min($0, success.next) } ?? success.next
    }
}

/// A CANCEL that waits for its answer.
struct HeldCancel: Sendable {
    let request: Message
    let wayBack: TransactionLayer.WayBack
}

/// A 2xx to an INVITE is repeated end to end until its ACK comes, over any transport (RFC 3261 §13.3.1.4).
struct SuccessRetransmission: Sendable {
    let key: AcknowledgementKey
    var next: Instant
    var interval: Interval
    let limit: Instant
}

extension TransactionLayer {
    mutating func receiveRequest(
        _ message: Message, from source: SocketAddress, over arrival: Transport?, now: Instant, into outbox: inout Outbox
    ) {
        let way = wayBack(of: message, source, arrival)
        guard let method = message.method, let key = TransactionKey(request: message) else { return }
        switch method {
        case .ack: receiveAcknowledgement(message, key, now: now, into: &outbox)
        case .cancel: receiveCancel(message, way, into: &outbox)
        default:
            if let id = serverKeys[key] {
                receiveAgain(id, into: &outbox)
            } else {
                begin(message, method, key, from: source, way, now: now, into: &outbox)
            }
        }
    }

    private mutating func begin(
        _ message: Message, _ method: Method, _ key: TransactionKey, from source: SocketAddress, _ way: WayBack, now: Instant,
        into outbox: inout Outbox
    ) {
        guard servers.count < capacity else {
            var busy = ResponseBuilder(message, 503, toTag: newTag())
            // Each another time, so that they do not come back together.
            busy.add(.retryAfter, String(5 + StableHash.avalanche(seed ^ newNumber()) % 26))
            return send(busy.serialised(), back: way, into: &outbox)
        }
        let id = ServerTransactionID(number: newNumber())
        var transaction = ServerTransaction(
            machine: method == .invite
                ? .invite(InviteServerTransaction(timers: timers)) : .other(NonInviteServerTransaction(timers: timers)),
            request: message, key: key, wayBack: way)
        if method == .invite, sendsTryingAtOnce {
            let trying = ResponseBuilder(message, 100).serialised()
            transaction.lastResponse = trying
            send(trying, back: way, into: &outbox)
        }
        serverKeys[key] = id
        servers[id] = transaction
        outbox.events.append(.request(message, id, source: source))
    }

    private func receiveAgain(_ id: ServerTransactionID, into outbox: inout Outbox) {
        guard let transaction = servers[id], let response = transaction.lastResponse else { return }
        let retransmits =
            switch transaction.machine {
            case .invite(let machine): machine.receiveRequest() == .retransmit
            case .other(let machine): machine.receiveRequest() == .retransmit
            }
        if retransmits { send(response, back: transaction.wayBack, into: &outbox) }
    }

    private mutating func receiveAcknowledgement(
        _ message: Message, _ key: TransactionKey, now: Instant, into outbox: inout Outbox
    ) {
        if let id = serverKeys[key], var transaction = servers[id], case .invite(var machine) = transaction.machine {
            let action = machine.receiveAcknowledgement(now: now)
            transaction.machine = .invite(machine)
            store(transaction, id)
            guard action == .deliver else { return }
        }
        guard let key = AcknowledgementKey(message), let id = unacknowledged[key] else {
            return outbox.events.append(.ack(message, nil))
        }
        if var transaction = servers[id] {
            transaction.success = nil
            store(transaction, id)
        }
        unacknowledged[key] = nil
        outbox.events.append(.ack(message, id))
    }

    /// §9.2: the CANCEL is answered here, every time alike; the user hears of it once, and only while there is something to cancel.
    private mutating func receiveCancel(_ message: Message, _ way: WayBack, into outbox: inout Outbox) {
        guard let key = TransactionKey(cancelledBy: message), let id = serverKeys[key], var transaction = servers[id] else {
            return send(ResponseBuilder(message, 481, toTag: newTag()).serialised(), back: way, into: &outbox)
        }
        var isUnanswered = false
        if case .invite(let machine) = transaction.machine { isUnanswered = machine.state == .proceeding }
        if isUnanswered, !answersCancelAtOnce {
            transaction.cancel = HeldCancel(request: message, wayBack: way)
        } else {
            if transaction.toTag == nil { transaction.toTag = newTag() }
            send(ResponseBuilder(message, 200, toTag: transaction.toTag).serialised(), back: way, into: &outbox)
        }
        if isUnanswered, !transaction.isCancelled {
            transaction.isCancelled = true
            outbox.events.append(.cancel(message, id))
        }
        servers[id] = transaction
    }

    /// Answers a request delivered before. False when it is too late: the transaction is gone or has its final response.
    @discardableResult
    public mutating func respond(
        _ id: ServerTransactionID, _ response: ResponseBuilder, now: Instant, into outbox: inout Outbox
    ) -> Bool {
        guard var transaction = servers[id] else { return false }
        let status = StatusClass(response.status)
        let sends: Bool
        switch transaction.machine {
        case .invite(var machine):
            sends = machine.respond(status, now: now) == .send
            transaction.machine = .invite(machine)
        case .other(var machine):
            sends = machine.respond(status, now: now) == .send
            transaction.machine = .other(machine)
        }
        guard sends else { return false }
        let bytes = response.serialised()
        transaction.lastResponse = bytes
        if let tag = response.toTag { transaction.toTag = tag }
        if status != .provisional, let cancel = transaction.cancel {
            transaction.cancel = nil
            let answer = ResponseBuilder(cancel.request, 200, toTag: transaction.toTag)
            send(answer.serialised(), back: cancel.wayBack, into: &outbox)
        }
        if status == .success, case .invite = transaction.machine,
            let key = AcknowledgementKey(transaction.request, toTag: response.toTag)
        {
            transaction.success = SuccessRetransmission(
                key: key, next: now + timers.t1, interval: timers.t1, limit: now + timers.patience)
            unacknowledged[key] = id
        }
        store(transaction, id)
        send(bytes, back: transaction.wayBack, into: &outbox)
        return true
    }

    /// The request of a transaction that is still remembered.
    public func request(of id: ServerTransactionID) -> Message? { servers[id]?.request }

    mutating func expireServer(_ id: ServerTransactionID, now: Instant, into outbox: inout Outbox) {
        guard var transaction = servers[id] else { return }
        transaction.ticket = nil
        var unanswered = expireSuccess(of: &transaction, now: now, into: &outbox)
        var retransmits = false
        switch transaction.machine {
        case .invite(var machine):
            let action = machine.expire(now: now)
            retransmits = action == .retransmit
            unanswered = unanswered || action == .timedOut
            transaction.machine = .invite(machine)
        case .other(var machine):
            _ = machine.expire(now: now)
            transaction.machine = .other(machine)
        }
        store(transaction, id)
        if retransmits, let response = transaction.lastResponse { send(response, back: transaction.wayBack, into: &outbox) }
        if unanswered { outbox.events.append(.unacknowledged(id)) }
    }

    /// Repeats the 2xx, or gives up and says so.
    private mutating func expireSuccess(of transaction: inout ServerTransaction, now: Instant, into outbox: inout Outbox) -> Bool
    {
        guard var success = transaction.success, success.next <= now else { return false }
        guard now < success.limit else {
            unacknowledged[success.key] = nil
            transaction.success = nil
            return true
        }
        success.interval = timers.backedOff(success.interval)
        success.next = min(now + success.interval, success.limit)
        transaction.success = success
        if let response = transaction.lastResponse { send(response, back: transaction.wayBack, into: &outbox) }
        return false
    }

    private mutating func store(_ transaction: ServerTransaction, _ id: ServerTransactionID) {
        var transaction = transaction
        if let ticket = transaction.ticket { queue.cancel(ticket) }
        transaction.ticket = nil
        if transaction.machine.isTerminated {
            if let success = transaction.success { unacknowledged[success.key] = nil }
            servers[id] = nil
            serverKeys[transaction.key] = nil
            return
        }
        if let deadline = transaction.deadline { transaction.ticket = queue.insert(.server(id), at: deadline) }
        servers[id] = transaction
    }
}
