import Addresses
import Bus
import Contracts
import Datagrams
import Deadlines
import Logging
import SIP
import ServiceKit
import Telemetry
import Threads

/// Drives every live leg of this instance on one event loop: SIP in, events to the legs, their effects out.
///
/// It decides nothing about a call; that is `Leg.apply`. Effects are performed after the leg's snapshot is safe, so nothing is
/// visible outside that a successor could not know (RELIABILITY §4.1).
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
    private var layerTimer: (timer: EventLoop.Timer, at: Instant)?

    var legs: [String: Entry] = [:]
    /// Which leg, and which of its branches, a SIP Call-ID belongs to.
    var legsByCallID: [String: (leg: String, branch: Int)] = [:]
    /// What a response to a request of ours is for.
    var purposes: [ClientTransactionID: Purpose] = [:]
    /// Which leg an INVITE that is being answered belongs to.
    var invites: [ServerTransactionID: String] = [:]

    /// A leg and what belongs to this process only: transactions and timers.
    struct Entry {
        var leg: Leg
        var invite: ServerTransactionID?
        var reinvite: ServerTransactionID?
        var branches: [Int: ClientTransactionID] = [:]
        var requests: [Int: RequestBuilder] = [:]
        /// The 2xx of each branch, until it is acknowledged.
        var successes: [Int: Message] = [:]
        var acknowledgement: (request: RequestBuilder, destination: SocketAddress)?
        var timers: [Leg.TimerKind: (timer: EventLoop.Timer, at: Instant)] = [:]
    }

    enum Purpose {
        case invite(leg: String, branch: Int)
        /// BYE, or the BYE of a branch that lost: its answer changes nothing.
        case goodbye
    }

    init(runtime: Runtime, journal: Journal, settings: EngineSettings) throws {
        loop = EventLoop(name: "calls")
        (self.runtime, self.journal, self.settings) = (runtime, journal, settings)
        (bus, logger) = (runtime.bus, runtime.logger)
        socket = try DatagramSocket(bind: settings.listen, receiveBuffer: 4 << 20)
        address = socket.localAddress
        layer = TransactionLayer(sentBy: address, seed: .random(in: .min ... .max))
    }

    nonisolated func start() {
        loop.start()
        loop.post { self.assumeIsolated { $0.listen() } }
    }

    nonisolated func stop() { loop.stop() }

    private func listen() {
        loop.watch(socket.descriptor, .read) { _ in self.assumeIsolated { $0.readable() } }
        loop.afterEachBatch { self.assumeIsolated { $0.armLayer() } }
    }

    /// Who waits for the first record of a call to be readable.
    var whenWritten: [String: @Sendable () -> Void] = [:]

    func moment() -> Moment { Moment(now: loop.now, time: Timestamp(milliseconds: WallClock.milliseconds())) }

    // MARK: SIP in and out

    private func readable() {
        while true {
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
    }

    private func receive(_ bytes: [UInt8], from source: SocketAddress) {
        do {
            let message = try Message.parse(bytes)
            layer.receive(message, from: source, now: loop.now, into: &outbox)
            drain()
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
            for datagram in datagrams { _ = socket.send(datagram.bytes, to: datagram.to) }
            for event in events { receive(event) }
        }
    }

    /// One timer of the loop stands for the earliest deadline of all transactions.
    private func armLayer() {
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

    /// Writes the leg's snapshot, then performs the effects on this loop.
    func commit(_ id: String, _ effects: [LegEffect]) {
        armTimers(of: id)
        guard !effects.isEmpty, let leg = legs[id]?.leg else { return }
        let revision = leg.revision
        journal.save(leg) { [loop] in
            loop.post { self.assumeIsolated { engine in for effect in effects { engine.perform(effect, for: id, revision) } } }
        }
    }

    /// Brings the loop's timers in step with the deadlines the leg declares.
    private func armTimers(of id: String) {
        guard let entry = legs[id] else { return }
        for (kind, armed) in entry.timers where entry.leg.deadlines[kind] != armed.at {
            loop.cancel(armed.timer)
            legs[id]?.timers[kind] = nil
        }
        for (kind, deadline) in entry.leg.deadlines where entry.timers[kind]?.at != deadline {
            let timer = loop.schedule(at: deadline) {
                self.assumeIsolated {
                    $0.legs[id]?.timers[kind] = nil
                    $0.handle(id, .due(kind))
                }
            }
            legs[id]?.timers[kind] = (timer, deadline)
        }
    }

    /// Redis came back, perhaps empty: the owner writes everything again.
    func saveAll() {
        for entry in legs.values { journal.save(entry.leg) {} }
    }

    func announceLoad() async {
        while !Task.isCancelled {
            let load = Double(legs.count) / Double(settings.maximumLegs)
            runtime.announce { $0.load = load }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Waits until no call is left; the caller bounds the wait.
    func drained() async {
        while !legs.isEmpty, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
    }

    func remove(_ id: String) {
        guard let entry = legs.removeValue(forKey: id) else { return }
        for armed in entry.timers.values { loop.cancel(armed.timer) }
        if let callID = entry.leg.sip.callID { legsByCallID[callID] = nil }
        for branch in entry.leg.sip.branches { legsByCallID[branch.callID] = nil }
        for transaction in entry.branches.values { purposes[transaction] = nil }
        if let invite = entry.invite { invites[invite] = nil }
        if let reinvite = entry.reinvite { invites[reinvite] = nil }
        journal.forget(entry.leg)
        Counters.live.set(legs.count)
    }
}

/// Settings of the engine.
struct EngineSettings: Sendable {
    var listen: SocketAddress
    var domain: String
    var maximumLegs: Int
    var limits: Leg.Limits
}

enum Counters {
    static let malformed = Counter("tandem_call_malformed_messages_total", "SIP messages that could not be parsed")
    static let calls = Counter("tandem_call_legs_total", "call legs begun")
    static let refused = Counter("tandem_call_refused_total", "calls refused because a limit was reached or a service was away")
    static let live = Gauge("tandem_call_legs_active", "call legs that are not over")
    static let setup = Histogram("tandem_call_setup_seconds", "INVITE received to 200 sent")
}
