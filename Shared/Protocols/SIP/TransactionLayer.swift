public import Addresses
internal import Bytes
public import Deadlines

/// All transactions of one user agent over one transport (RFC 3261 §17): matches, retransmits, absorbs what is retransmitted,
/// acknowledges failures, answers CANCEL, sends 100 Trying for every INVITE at once and repeats a 2xx until its ACK comes.
///
/// One owner, one thread. Branches and tags come from the seed and a counter, so a run can be repeated exactly.
public struct TransactionLayer {
    /// What the topmost Via of our requests says, and how we are reached.
    public let sentBy: SocketAddress
    public let transport: Transport
    let timers: Timers
    let seed: UInt64
    /// Transactions of each kind beyond which new requests are refused: 503 for what comes in, `transportFailed` for what goes out.
    let capacity: Int
    private(set) var counter: UInt64 = 0
    /// What is longer goes over a connection to its destination while there is one (§18.1.1).
    public var longestDatagram = Int.max
    /// Whether an INVITE has its 100 at once; else when `trying` is called, for a user that is to remember it first.
    public var sendsTryingAtOnce = true
    /// Whether a CANCEL is answered at once; else together with its INVITE, for a user that is to remember first what it did.
    public var answersCancelAtOnce = true
    /// The peers to whom a connection is open, as the owner of the connections tells.
    public var connected: Set<SocketAddress> = []

    var clients: [ClientTransactionID: ClientTransaction] = [:]
    var clientKeys: [TransactionKey: ClientTransactionID] = [:]
    var servers: [ServerTransactionID: ServerTransaction] = [:]
    var serverKeys: [TransactionKey: ServerTransactionID] = [:]
    /// 2xx responses whose ACK has not come, by what the ACK repeats of them.
    var unacknowledged: [AcknowledgementKey: ServerTransactionID] = [:]
    var queue = DeadlineQueue<Owner>()

    enum Owner: Sendable {
        case client(ClientTransactionID), server(ServerTransactionID)
    }

    public init(
        sentBy: SocketAddress, transport: Transport = .udp, seed: UInt64, timers: Timers = Timers(), capacity: Int = 100_000
    ) {
        (self.sentBy, self.transport, self.seed, self.capacity) = (sentBy, transport, seed, capacity)
        var timers = timers
        timers.isReliable = transport.isReliable
        self.timers = timers
    }

    public var clientCount: Int { clients.count }
    public var serverCount: Int { servers.count }

    /// When `expire` wants to be called next.
    public var deadline: Instant? {
        mutating get { queue.nextDeadline() }
    }

    public mutating func expire(now: Instant, into outbox: inout Outbox) {
        while let owner = queue.popDue(now: now) {
            switch owner {
            case .client(let id): expireClient(id, now: now, into: &outbox)
            case .server(let id): expireServer(id, now: now, into: &outbox)
            }
        }
    }

    /// A message arrived from `source`, perhaps over a connection in a layer whose transport is UDP. A request that lacks what
    /// every request must have is answered here (400, 505).
    public mutating func receive(
        _ message: Message, from source: SocketAddress, over arrival: Transport? = nil, now: Instant, into outbox: inout Outbox
    ) {
        guard message.isRequest else { return receiveResponse(message, now: now, into: &outbox) }
        if let defect = message.requestDefect {
            // §18: an ACK is never answered, and without a Via there is nobody to answer.
            guard message.method != .ack, message.topmostVia != nil else { return }
            let stamped = message.stamped(source: source)
            let response = ResponseBuilder(stamped, defect, toTag: newTag())
            return send(response.serialised(), back: wayBack(of: stamped, source, arrival), into: &outbox)
        }
        receiveRequest(message.stamped(source: source), from: source, over: arrival, now: now, into: &outbox)
    }

    // MARK: Names

    mutating func newNumber() -> UInt64 {
        counter &+= 1
        return counter
    }

    /// A branch nobody else makes: cookie, 64 bits of seed and counter mixed, and the counter itself.
    mutating func newBranch() -> String { Via.magicCookie + newTag() }

    /// A tag, Call-ID part or branch part that no other call to this function of any layer with another seed returns.
    public mutating func newTag() -> String {
        let number = newNumber()
        return String(StableHash.avalanche(seed ^ StableHash.avalanche(number)), radix: 36) + String(number, radix: 36)
    }

}

/// What an ACK of a 2xx repeats of the INVITE and its response: it has a branch of its own.
struct AcknowledgementKey: Hashable, Sendable {
    let callID: String
    let fromTag: String
    let toTag: String
    let sequence: UInt32

    init?(_ message: Message, toTag: String? = nil) {
        guard let callID = message.callID, let cseq = message.cseq, let from = message.from, let to = message.to else {
            return nil
        }
        (self.callID, sequence) = (callID, cseq.number)
        (fromTag, self.toTag) = (from.tag ?? "", to.tag ?? toTag ?? "")
    }
}
