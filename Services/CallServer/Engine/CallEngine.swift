import Addresses
import Bus
import Contracts
import Datagrams
import Deadlines
import Logging
import SIP
import ServiceKit
import Streams
import Telemetry
import Threads

/// Drives every live leg of this instance on one event loop: SIP in, events to the legs, their effects out.
///
/// It decides nothing about a call; that is `Leg.apply`. Effects that can be seen outside are performed after the leg's snapshot is
/// safe, so nothing is visible that a successor could not know (RELIABILITY §4.1).
actor CallEngine {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    let runtime: Runtime
    let bus: Bus
    let journal: Journal
    let settings: EngineSettings
    let logger: Logger
    nonisolated let address: SocketAddress
    var socket: DatagramSocket
    private var received = ReceiveBatch(capacity: 64, size: 65_536)
    var layer: TransactionLayer
    var outbox = SIP.Outbox()
    var edges = EdgeTable()
    /// Since when nothing has been heard of relays that legs are with.
    var lostRelays: [String: Instant] = [:]
    /// Of each relay what its sessions came from.
    var lineages: [String: String] = [:]
    /// Legs whose sessions are no more, with these.
    var lostSessions: [String: String] = [:]
    /// Of each ConferenceServer what its rooms came from.
    var roomLineages: [String: String] = [:]
    var limited: LimitedCalls
    var congestion: Congestion
    let archive: TimelineArchive
    let timeline: Timeline
    var traced = TracedMessages()
    var errands = Errands()
    var seatSettings: [String: SeatSettings] = [:]
    var errandCount = 0
    var told = ToldSteps()
    /// Runs of which PostgreSQL may have lost what was told, and FlowManager may not have it any more; how often anything was told again.
    var lost: Set<String> = []
    var isTellingAgain = false
    var retellings = 0
    var postgresLife: String?
    /// The edges over TCP.
    var streams: PeerStreams?
    private var layerTimer: (timer: EventLoop.Timer, at: Instant)?

    var legs: [String: Entry] = [:]
    /// Which leg, and which of its branches, a SIP Call-ID belongs to.
    var legsByCallID: [String: (leg: String, branch: Int)] = [:]
    /// What a response to a request of ours is for.
    var purposes: [ClientTransactionID: Purpose] = [:]
    /// Which leg an INVITE that is being answered belongs to.
    var invites: [ServerTransactionID: String] = [:]

    /// A leg and what belongs to this process only: transactions and timers. A class, for a leg is large: as a value it would be moved out of
    /// its dictionary and back with every change.
    final class Entry {
        var leg: Leg
        /// Effects that wait for the snapshot they belong to, in order.
        var batches: [Batch] = []
        var invite: ServerTransactionID?
        var reinvite: ServerTransactionID?
        /// Whose request `sip.reinvite` is.
        var keptReinvite: ServerTransactionID?
        /// Re-INVITEs that have their 2xx and no ACK yet.
        var unacknowledged: Set<ServerTransactionID> = []
        var branches: [Int: ClientTransactionID] = [:]
        var requests: [Int: RequestBuilder] = [:]
        var successes: [Int: Message] = [:]
        /// Built with the snapshot that counts its CSeq.
        var bye: RequestBuilder?
        /// The same for a re-INVITE of ours.
        var reinviting: RequestBuilder?
        /// And for a refresh of the session.
        var refreshing: RequestBuilder?
        /// And for a REFER of ours.
        var referring: RequestBuilder?
        /// A REFER that is being answered, and the NOTIFYs for it in the order of their CSeqs.
        var refer: ServerTransactionID?
        var notifications: [SIPState.Notice] = []
        /// Texts for the phone, in the order of their CSeqs.
        var messages: [RequestBuilder] = []
        /// Keys for its relay, the next in front.
        var presses: [PressInMediaSession] = []
        /// The PRACKs that this process has sent.
        var pracked: Set<TransactionName> = []
        var acknowledgement: (request: RequestBuilder, destination: SocketAddress)?
        var timers: [Leg.TimerKind: (timer: EventLoop.Timer, at: Instant)] = [:]
        /// INVITEs of the phone's that have no 100 yet: it stops the phone from asking again, so it waits for the snapshot.
        var untried: [Untried] = []
        /// Where the phones of the number are that was dialled, as of a moment ago.
        var reachable: Reachable?
        /// Whom the leg was taken over from.
        var former: String?
        /// A successor would find it.
        var isKnown = false
        /// Who waits until a revision of the leg has been written; false: it is another's by now.
        var whenSaved: [(revision: UInt64, done: @Sendable (_ isOurs: Bool) -> Void)] = []
        /// As what it stands in the metrics.
        var isCountedUp = false
        var isEndCounted: Bool
        var dialProgress = DialProgress.notInvited

        init(leg: Leg, invite: ServerTransactionID? = nil, untried: [Untried] = []) {
            (self.leg, self.invite, self.untried) = (leg, invite, untried)
            // Of one that was over already its predecessor has counted the end.
            isEndCounted = leg.isEnded
        }
    }

    struct Reachable {
        let number: String
        let bindings: [ReachableBinding]
        let doNotDisturb: Bool
        let at: Instant
    }

    struct Untried {
        let transaction: ServerTransactionID
        /// The last revision that knows nothing of it.
        let before: UInt64
    }

    /// The effects of one event.
    struct Batch {
        let revision: UInt64
        let effects: [LegEffect]
        var isSafe = false
    }

    /// A BYE that may be sent again over the phone's new connection.
    struct Goodbye {
        let request: RequestBuilder
        let rerouting: Rerouting
    }

    enum Purpose {
        case invite(leg: String, branch: Int)
        /// Its leg is over; should it be answered all the same, it is acknowledged and hung up.
        case abandoned(RequestBuilder)
        /// BYE, or the BYE of a branch that lost: its answer changes nothing, unless it says that the flow is dead.
        case goodbye(Goodbye?)
        /// A re-INVITE of ours, with the session it offers.
        case move(leg: String, session: Int, RequestBuilder)
        /// A re-INVITE or UPDATE that refreshes the session.
        case refresh(leg: String, RequestBuilder)
        /// A REFER of ours.
        case referral(leg: String)
        /// A PRACK or a MESSAGE, whose answer changes nothing.
        case notice(leg: String)
        /// A NOTIFY for the REFER with that CSeq.
        case notify(leg: String, SIPState.Notice)
    }

    init(runtime: Runtime, journal: Journal, archive: TimelineArchive, settings: EngineSettings) throws {
        (self.archive, timeline) = (archive, archive.timeline)
        loop = EventLoop(name: "calls")
        limited = LimitedCalls(cache: runtime.cache, defaults: settings.callLimits)
        congestion = Congestion(limit: settings.slowAnswer)
        (self.runtime, self.journal, self.settings) = (runtime, journal, settings)
        (bus, logger) = (runtime.bus, runtime.logger)
        socket = try DatagramSocket(bind: settings.listen, receiveBuffer: 4 << 20)
        address = socket.localAddress
        layer = TransactionLayer(sentBy: address, seed: .random(in: .min ... .max))
        layer.longestDatagram = settings.longestDatagram
        layer.sendsTryingAtOnce = false
        layer.answersCancelAtOnce = false
    }

    nonisolated func start(limits: CallLimitTable) async throws {
        loop.start()
        await use(limits)
        try await listen()
    }

    private func listen() throws {
        try openStreams()
        refreshEdges()
        watchRelays()
        watchRooms()
        watchServers()
        beat()
        refreshLimits()
        loop.watch(socket.descriptor, .read) { _ in self.assumeIsolated { $0.readable() } }
        loop.afterEachBatch { self.assumeIsolated { $0.armLayer() } }
    }

    /// Legs whose snapshot is older than they are, and when it is to be written.
    private var unsaved: [String: Instant] = [:]
    private var saving: (timer: EventLoop.Timer, at: Instant)?
    private static let snapshotPause = Interval.milliseconds(20)
    /// Of legs that nobody talks through: what their phones see is written anyway, and in between a successor does again what was done.
    private static let longPause = Interval.milliseconds(150)
    /// Effects whose turn it is.
    private var ready: [(id: String, batch: Batch)] = []
    private var isPerforming = false

    /// Messages whose call is looked for elsewhere, by their Call-ID.
    var parked: [String: [Parked]] = [:]
    var parkedCount = 0
    /// Calls that were given away a moment ago, by their legs.
    var yielded: [String: Yielded] = [:]
    /// INVITEs whose named call is being brought here, and whether they were given up meanwhile.
    var bringing: [ServerTransactionID: Bool] = [:]
    var endedDialogs = EndedDialogs()
    /// Families of calls that are being taken over.
    var adopting: [String: Task<Adoption, Never>] = [:]
    /// Who is just taking a leg.
    var claimants: [String: Claim] = [:]
    /// The call servers that were alive when last looked at.
    var company = Company([], since: MonotonicClock.now())
    /// When there was another one, or this one began.
    var lastCompany = MonotonicClock.now()
    /// When the loop was last seen to run, and whether it has been standing still so long that others may own its calls.
    var lastBeat = Instant(nanoseconds: 0)
    var isFrozen = false
    /// What came over connections meanwhile, and what Redis has taken.
    var frozenMessages: [Parked] = []
    var frozenSaves: [(id: String, revision: UInt64)] = []

    /// Calls of the API's that are being made.
    var creating: Set<String> = []
    /// Who waits for the first record of a call to be readable.
    var whenWritten: [String: @Sendable (Bool) -> Void] = [:]

    func moment() -> Moment { Moment(now: loop.now, time: Timestamp(milliseconds: WallClock.milliseconds())) }

    // MARK: SIP in and out

    /// So many batches are read in a turn: what the services have answered, and timers, have theirs in between.
    private static let readsPerTurn = 4

    func readable() {
        for _ in 0..<Self.readsPerTurn {
            guard mayAct() else { return }
            let count = socket.receive(into: &received)
            for index in 0..<count {
                let datagram = received[index]
                guard !datagram.isTruncated else { continue }
                var bytes: [UInt8] = []
                bytes.reserveCapacity(datagram.bytes.count)
                for position in datagram.bytes.indices { bytes.append(datagram.bytes[position]) }
                receive(bytes, from: datagram.source)
            }
            if count < received.capacity { return }
        }
        loop.fallBehind()
    }

    private func receive(_ bytes: [UInt8], from source: SocketAddress) {
        do {
            deliver(Parked(message: try Message.parse(bytes), source: source, arrival: nil))
        } catch {
            Counters.malformed.add()
        }
    }

    /// Sends what the transaction layer wrote and hands its news on; news may make it write again.
    func drain() {
        while !outbox.datagrams.isEmpty || !outbox.events.isEmpty {
            let datagrams = outbox.datagrams
            let events = outbox.events
            outbox.removeAll()
            for datagram in datagrams { send(datagram) }
            for event in events { receive(event) }
        }
    }

    /// One timer of the loop stands for the earliest deadline of all transactions.
    func armLayer() {
        guard !isFrozen else { return }
        let wanted = layer.deadline
        if let current = layerTimer {
            if current.at == wanted { return }
            loop.cancel(current.timer)
            layerTimer = nil
        }
        guard let wanted else { return }
        let timer = loop.schedule(at: wanted) {
            self.assumeIsolated {
                $0.layerTimer = nil
                guard $0.mayAct() else { return }
                $0.layer.expire(now: $0.loop.now, into: &$0.outbox)
                $0.drain()
            }
        }
        layerTimer = (timer, wanted)
    }

    // MARK: Events and effects

    /// Applies an event to a leg; its effects follow when the snapshot is written.
    func handle(_ id: String, _ event: LegEvent) {
        guard legs[id] != nil else { return }
        let moment = moment()
        let effects = legs[id]?.leg.apply(event, at: moment) ?? []
        commit(id, effects)
    }

    /// Performs the effects, in the order of the events. What can be seen outside waits until the snapshot is written; commands to
    /// other services do not, for a successor may give them again.
    func commit(_ id: String, _ effects: [LegEffect]) {
        for effect in effects { prepare(effect, for: id) }
        armTimers(of: id)
        if let entry = legs[id] { keepCount(of: entry) }
        guard let leg = legs[id]?.leg else { return }
        if leg.isEnded { uncount(id) }
        let isKnown = legs[id]?.isKnown == true
        let border = effects.firstIndex { $0.isVisibleOutside && !(isKnown && $0.isRepeatable) } ?? effects.endIndex
        legs[id]?.batches.append(Batch(revision: leg.revision, effects: Array(effects[..<border]), isSafe: true))
        if border < effects.endIndex {
            legs[id]?.batches.append(Batch(revision: leg.revision, effects: Array(effects[border...])))
            save(leg)
        } else if effects.contains(where: \.isReliedOn) {
            // Redis takes what is written in order: before the new leg's phone hears anything a successor knows whose it is, and before a
            // first leg that has left is forgotten, who is the first now.
            save(leg)
        } else {
            saveSoon(id)
        }
        performWhatIsSafe(id)
    }

    func save(_ leg: Leg) {
        let (id, revision) = (leg.record.id, leg.revision)
        unsaved[id] = nil
        journal.save(leg) { [loop] isOurs in
            loop.post { self.assumeIsolated { $0.saved(id, revision, isOurs: isOurs) } }
        }
    }

    /// Several events of a leg soon after each other make one snapshot.
    func saveSoon(_ id: String) {
        let due = loop.now + (legs[id]?.leg.phase == .up ? Self.snapshotPause : Self.longPause)
        unsaved[id] = min(due, unsaved[id] ?? due)
        armSaving(due)
    }

    private func armSaving(_ due: Instant) {
        if let saving {
            guard due < saving.at else { return }
            loop.cancel(saving.timer)
        }
        saving = (loop.schedule(at: due) { self.assumeIsolated { $0.saveWhatIsDue() } }, due)
    }

    private func saveWhatIsDue() {
        saving = nil
        for (id, due) in unsaved where due <= loop.now {
            if let leg = legs[id]?.leg { save(leg) } else { unsaved[id] = nil }
        }
        if let next = unsaved.values.min() { armSaving(next) }
    }

    private func saved(_ id: String, _ revision: UInt64, isOurs: Bool) {
        guard isOurs else {
            if legs[id] != nil { abandon(id) }
            return
        }
        // Redis may have taken it before this process stood still, and the call may be another's by now.
        guard mayAct() else { return frozenSaves.append((id, revision)) }
        written(id, revision)
    }

    /// What waits for the snapshot of that revision is done.
    func written(_ id: String, _ revision: UInt64) {
        legs[id]?.isKnown = true
        tell(whoWaitsFor: id, revision)
        guard let index = legs[id]?.batches.firstIndex(where: { $0.revision == revision && !$0.isSafe }) else { return }
        legs[id]?.batches[index].isSafe = true
        performWhatIsSafe(id)
    }

    /// One batch after the other, and none within another: what an effect does to a leg comes after the effects before it.
    private func performWhatIsSafe(_ id: String) {
        while let batch = legs[id]?.batches.first, batch.isSafe {
            legs[id]?.batches.removeFirst()
            ready.append((id, batch))
        }
        guard !isPerforming else { return }
        isPerforming = true
        while !ready.isEmpty {
            let now = ready
            ready = []
            for (id, batch) in now {
                for effect in batch.effects { perform(effect, for: id, batch.revision) }
            }
        }
        isPerforming = false
    }

    /// Another instance owns the call now: nothing more is done for it here.
    func abandon(_ id: String) {
        guard legs[id] != nil else { return }
        logger.warning("call \(id) belongs to another instance")
        Counters.fenced.add()
        whenWritten.removeValue(forKey: id)?(false)
        remove(id, isOurs: false)
    }

    /// Redis came back, perhaps empty: the owner writes everything again, a few at a time so that nobody waits.
    func saveAll(_ ids: [String]? = nil) {
        if ids == nil { journal.forgetNames() }
        let ids = ids ?? Array(legs.keys)
        for id in ids.prefix(100) {
            // What was taken over meanwhile is found out here.
            if let leg = legs[id]?.leg { save(leg) }
        }
        guard ids.count > 100 else { return }
        let rest = Array(ids.dropFirst(100))
        loop.post { self.assumeIsolated { $0.saveAll(rest) } }
    }

    /// Forgets a leg; what is still under way in SIP ends without it.
    func remove(_ id: String, isOurs: Bool = true) {
        guard let entry = legs.removeValue(forKey: id) else { return }
        countNoMore(entry)
        for armed in entry.timers.values { loop.cancel(armed.timer) }
        if let callID = entry.leg.sip.dialog?.callID { legsByCallID[callID] = nil }
        for branch in entry.leg.sip.branches.values { legsByCallID[branch.callID] = nil }
        for (branch, transaction) in entry.branches where purposes[transaction] != nil {
            purposes[transaction] = entry.requests[branch].map(Purpose.abandoned)
        }
        if isOurs, let transaction = entry.reinvite, let request = layer.request(of: transaction) {
            answer(transaction, request, 487)
        }
        for transaction in [entry.invite, entry.reinvite].compactMap(\.self) + Array(entry.unacknowledged) { invites[transaction] = nil }
        if isOurs {
            endedDialogs.note(entry.leg, at: loop.now)
            traceEnds(of: entry.leg)
            journal.forget(entry.leg)
            // What they waited for is not needed any more.
            for waiting in entry.whenSaved { waiting.done(true) }
        } else {
            fallSilent(id, entry)
        }
        Counters.live.set(legs.count)
    }
}
