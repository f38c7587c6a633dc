import Addresses
import Datagrams
import Deadlines
import SIP
import ServiceKit
import Streams
import TLS
import Telemetry
import Threads

/// One thread of the edge: it reads its sockets, lets the core decide, and sends; a message never leaves it.
///
/// All loops share the outside port (`SO_REUSEPORT`); the inside port is this loop's own, so what servers send to a connection
/// arrives where the connection is.
actor EdgeLoop {
    nonisolated let loop: EventLoop
    nonisolated let inside: SocketAddress
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    let core: ProxyCore
    let settings: EdgeSettings
    let findAccount: FindAccount
    let findDomain: DomainLookup
    let bans: BanBoard
    let nonces: NonceMemory
    let shed: Gauge
    /// Who of the suite is alive; nobody is where the edge is alone.
    let fleet: Fleet
    /// By the family of the phone's address: at least one of them is there.
    private let outside4: OutsidePort?
    private let outside6: OutsidePort?
    let insideSocket: DatagramSocket
    private var received = ReceiveBatch(capacity: 32, size: placeSize)
    var insideBatch = SendBatch(capacity: 64, size: 65_536)
    private var index = MessageIndex()
    private var outsideIndex = MessageIndex(limits: .outside)
    let capture: MessageCapture?
    private var outsideBytes = HistogramTally(Traffic.messageBytes[Traffic.Side.outside.rawValue])
    private var insideBytes = HistogramTally(Traffic.messageBytes[Traffic.Side.inside.rawValue])

    /// Room for the longest datagram, and some cache lines more: places that all began at the same offset of a page would drive one
    /// another out of the processor's caches.
    private static let placeSize = 65_536 + 17 * 64

    var placement: Placement
    var neighbours = Neighbours()
    /// Of the fixed list of servers, when there is one.
    var watch: ServerWatch?
    var questions: UInt64 = 0
    var accounts: AccountCache
    /// Requests that wait for their account, by the account.
    var parked: [AccountCache.Key: [PendingAuthentication]] = [:]
    var parking: Parking
    var admission: Admission
    /// Requests that wait for their domain.
    var awaiting: [String: [(Message, Arrival)]] = [:]
    var kept: KeptRequests
    /// What the gauge has been told.
    var keptShown = 0
    var isLookDue = false
    private var listeners: [StreamListener] = []
    var peers: [UInt32: StreamPeer] = [:]
    /// The servers over TCP.
    var insideStreams: PeerStreams?
    /// For new connections; those that are open keep the one they began with.
    var certificate: TLSContext?

    /// How many times in a row a socket is read before the other side has its turn.
    private static let readsPerTurn = 8

    init(
        index: Int, settings: EdgeSettings, tokenKey: [UInt8], nonceKey: [UInt8], findAccount: FindAccount,
        findDomain: DomainLookup, bans: BanBoard, nonces: NonceMemory, certificate: TLSContext?, fleet: Fleet
    ) throws {
        self.certificate = certificate
        (self.settings, self.findAccount, self.fleet) = (settings, findAccount, fleet)
        (self.findDomain, self.bans, self.nonces) = (findDomain, bans, nonces)
        admission = Admission(
            settings.admission, seed: (.random(in: 0 ... .max), .random(in: 0 ... .max)),
            connections: settings.streamLimits.connections * settings.streams.count)
        shed = Gauge(
            "tandem_edge_shed_ratio", "share of new calls that are refused because a server or the loop is late", unitsShown: 1_000,
            labels: ["loop": "\(index)"])
        capture = try settings.capture.map { settings throws(SocketError) in try MessageCapture(settings) }
        placement = Placement(recentDialogs: settings.recentDialogs, now: MonotonicClock.now())
        loop = EventLoop(name: "edge-\(index)", processor: index)
        do throws(SocketError) {
            outside4 = try .bind(settings.listenAddress(isIPv4: true))
            outside6 = try .bind(settings.listenAddress(isIPv4: false))
            insideSocket = try Self.openInside(index, settings)
        } catch {
            let setting = settings.listen.contains(error.address) ? "TANDEM_SIP_LISTEN" : "TANDEM_INSIDE_SIP_PORT"
            throw EdgeSettings.Mistake(description: error.description(setting: setting))
        }
        insideSocket.reportRefusals()
        inside = insideSocket.localAddress
        core = ProxyCore(
            ProxyCore.Configuration(
                domain: settings.domain, outside: settings.outside, inside: insideSocket.localAddress,
                generation: .random(in: 1 ... .max), tokenKey: tokenKey, nonceKey: nonceKey,
                nonceLifetimeMilliseconds: settings.nonceLifetimeMilliseconds, legacyAgents: settings.legacyAgents,
                flowTimer: settings.flowTimer, alone: settings.alone))
        kept = KeptRequests(settings.keptRequests)
        parking = Parking(settings.parking)
        accounts = AccountCache(
            capacity: settings.accountsRemembered, lifetime: settings.accountLifetime,
            recent: settings.refusalAge)
    }


    // MARK: Life

    /// Begins to listen; from here on everything happens in callbacks, which are made here and so run isolated to this actor.
    /// `loops` are those of this process.
    func open(among loops: [SocketAddress]) throws {
        neighbours.siblings = Set(loops)
        for port in settings.streams {
            do {
                listeners.append(
                    try StreamListener(
                        bind: port.address, loop: loop, reusePort: true, limits: settings.streamLimits
                    ) { connection in self.accept(connection, port.transport) })
            } catch { throw EdgeSettings.Mistake(description: error.description(setting: port.setting)) }
        }
        for port in [outside4, outside6].compactMap(\.self) {
            loop.watch(port.socket.descriptor, .read) { _ in self.readOutside(port) }
        }
        loop.watch(insideSocket.descriptor, .read) { ready in
            if ready.contains(.failed) { self.hearRefusals() }
            self.readInside()
        }
        try openInsideStreams()
        loop.afterEachBatch {
            self.askForDomains()
            self.flush()
        }
        loop.moderate(settings.moderation)
        measureLag(planned: loop.now)
        if let alone = settings.alone {
            watch = ServerWatch(alone.servers, every: settings.serverPing, now: MonotonicClock.now())
        }
        watchServers()
    }

    /// Takes nothing new, and says so to who asks; connections and what is inside go on until the process ends.
    func drain() {
        admission.isDraining = true
        for listener in listeners { listener.close() }
    }

    func use(_ certificate: TLSContext) { self.certificate = certificate }

    // MARK: Datagrams

    private func readOutside(_ port: OutsidePort) {
        for _ in 0..<Self.readsPerTurn {
            let count = port.socket.receive(into: &received)
            judgeOutside(received, count)
            guard count == received.capacity else { return }
        }
        loop.fallBehind()
    }

    /// The time is read once for all that came together.
    private func judgeOutside(_ batch: borrowing ReceiveBatch, _ count: Int) {
        guard count > 0 else { return }
        loop.handled(count)
        Traffic.batchMessages[Traffic.Side.outside.rawValue].observe(count: UInt64(count))
        let (now, turn) = (WallClock.milliseconds(), loop.now)
        for position in 0..<count {
            let datagram = batch[position]
            if admission.isBanned(datagram.source.address, now: turn) {
                Traffic.count(.banned)
                continue
            }
            if Message.isKeepAlive(datagram.bytes) {
                Traffic.keepAlives.add()
                continue
            }
            if isKeepAlive(stun: datagram.bytes) {
                answer(stun: datagram.bytes, from: datagram.source)
                continue
            }
            outsideBytes.observe(count: UInt64(datagram.bytes.count))
            let arrival = Arrival(source: datagram.source, transport: .udp, received: turn)
            if capture != nil { captureReceived(datagram.bytes, arrival) }
            do throws(ParseError) {
                try outsideIndex.read(datagram.bytes)
                judgeOutside(outsideIndex, datagram.bytes, arrival, now: now)
            } catch {
                Traffic.count(error)
                refuse(outsideIndex, datagram.bytes, error, arrival)
            }
        }
    }

    private func judgeOutside(_ index: borrowing MessageIndex, _ bytes: Span<UInt8>, _ arrival: Arrival, now: Int64) {
        guard let view = index.view(of: bytes) else { return }
        let decision = core.receiveOutside(view, arrival, now: now, &placement, &admission)
        perform(decision, view, arrival)
    }

    private func refuse(_ index: borrowing MessageIndex, _ bytes: Span<UInt8>, _ error: ParseError, _ arrival: Arrival) {
        guard let view = index.view(of: bytes) else { return Traffic.count(.malformed) }
        perform(core.receiveUnreadable(view, error, arrival, &admission), view, arrival)
    }

    /// The same of what a connection brought.
    func refuse(_ bytes: [UInt8], _ error: ParseError, _ arrival: Arrival) {
        do throws(ParseError) {
            try outsideIndex.read(bytes.span)
        } catch {
            // What could be read before the error is there; why it is refused has been found out already.
        }
        refuse(outsideIndex, bytes.span, error, arrival)
    }

    private func readInside() {
        for _ in 0..<Self.readsPerTurn {
            let count = insideSocket.receive(into: &received)
            judgeInside(received, count)
            guard count == received.capacity else { return }
        }
        loop.fallBehind()
    }

    private func judgeInside(_ batch: borrowing ReceiveBatch, _ count: Int) {
        guard count > 0 else { return }
        loop.handled(count)
        Traffic.batchMessages[Traffic.Side.inside.rawValue].observe(count: UInt64(count))
        for position in 0..<count {
            let datagram = batch[position]
            insideBytes.observe(count: UInt64(datagram.bytes.count))
            if capture != nil { captureReceived(datagram.bytes, fromInside: datagram.source) }
            do throws(ParseError) {
                try index.read(datagram.bytes)
                judgeInside(index, datagram.bytes, from: datagram.source)
            } catch {
                Traffic.count(error)
                Traffic.count(.malformed)
            }
        }
    }

    private func judgeInside(_ index: borrowing MessageIndex, _ bytes: Span<UInt8>, from source: SocketAddress) {
        guard let view = index.view(of: bytes) else { return }
        let origin = core.origin(of: view, from: source)
        perform(core.receiveInside(view, from: origin.server, trunks: placement.directory.trunks), view, from: origin)
    }

    // MARK: Doing what the core decided

    func receiveOutside(_ message: Message, _ arrival: Arrival) {
        outsideBytes.observe(count: UInt64(message.bytes.count))
        if capture != nil { captureReceived(message.bytes.span, arrival) }
        let view = message.view
        let decision = core.receiveOutside(view, arrival, now: WallClock.milliseconds(), &placement, &admission)
        perform(decision, view, arrival)
    }

    func perform(_ decision: Decision, _ message: Message, _ arrival: Arrival) { perform(decision, message.view, arrival) }

    func perform(_ decision: consuming Decision, _ message: borrowing MessageView, _ arrival: Arrival) {
        switch consume decision {
        case .forward(let forwarding, let destination):
            if let reason = refuseCall(message, forwarding, to: destination, arrival) { return turnAway(reason, message, arrival) }
            switch send(message, forwarding, to: destination) {
            case .sent:
                Traffic.countForwarded(message, .outside, over: arrival.transport)
                if arrival.transport.isReliable { keep(message, forwarding, destination, arrival) }
            case .gone: Traffic.count(.connectionGone)
            case .unsendable: Traffic.count(.unsendable)
            }
        case .reply(let bytes, let status):
            Traffic.count(message.method, .outside, status: status, over: arrival.transport)
            sendOutside(bytes, to: arrival.source)
        case .replyOutside(let bytes, let status, let address):
            guard mayLeave(bytes.count, to: message, arrival) else { return }
            Traffic.count(message.method, .outside, status: status, over: arrival.transport)
            if arrival.transport.isReliable {
                sendOutside(bytes, on: arrival.connection)
            } else {
                sendOutside(bytes, to: address)
            }
        case .authenticate(let pending):
            authenticate(pending)
        case .awaitDomain(let domain):
            awaitDomain(domain, message, arrival)
        case .turnAway(let reason):
            turnAway(reason, message, arrival)
        case .unavailable:
            refuseForNow(message, arrival)
        case .drop(let reason):
            Traffic.count(reason)
        }
    }

    func perform(_ decision: consuming Decision, _ message: borrowing MessageView, from origin: Origin) {
        switch consume decision {
        case .forward(let forwarding, let destination):
            switch send(message, forwarding, to: destination) {
            case .sent:
                Traffic.countForwarded(message, .inside, over: destination.transport)
                if !message.isRequest { noteAnswer(message) }
                if !kept.isEmpty { answered(message) }
            case .gone:
                if case .flow(let token) = destination, handOver(message, token, origin) { break }
                perform(core.flowFailed(message, from: origin.server), message, from: origin)
            case .unsendable: Traffic.count(.unsendable)
            }
        case .reply(let bytes, let status), .replyOutside(let bytes, let status, _):
            Traffic.count(message.method, .inside, status: status)
            if let connection = origin.connection, sendInside(bytes, over: connection) { return }
            sendInside(bytes, to: origin.server)
        case .drop(.foreignResponse) where watch?.heard(origin.server, now: loop.now) == true:
            break
        case .drop(let reason):
            Traffic.count(reason)
        case .authenticate, .awaitDomain, .turnAway, .unavailable:
            preconditionFailure("what comes from inside is trusted and never challenged")
        }
    }

    func sendAgain(_ message: Message, _ forwarding: Forwarding, to server: SocketAddress) {
        if send(message.view, forwarding, to: .server(server)) == .unsendable { Traffic.count(.unsendable) }
    }

    enum Departure { case sent, gone, unsendable }

    /// Writes the message where it leaves from: into the batch of a socket, or for a connection into memory of its own.
    private func send(_ message: borrowing MessageView, _ forwarding: Forwarding, to destination: Destination) -> Departure {
        switch destination {
        case .server(let address):
            return sendInside(message, forwarding, to: address)
        case .connectedServer(let address, let port):
            if answer(message, forwarding, to: SocketAddress(address.address, port: port)) { return .sent }
            return sendInside(message, forwarding, to: address)
        case .flow(let token) where token.transport == .udp:
            guard let port = outsidePort(for: token.remote) else { return .unsendable }
            port.makeRoom()
            guard append(message, forwarding, to: token.remote, &port.batch) else { return .unsendable }
            if capture != nil { captureSent(from: port, to: token.remote) }
            return .sent
        case .flow(let token):
            guard let bytes = forwarding.bytes(of: message, key: core.tokenKey) else { return .unsendable }
            return writeStream(bytes, token) ? .sent : .gone
        }
    }

    /// As a datagram, or over a connection when it is too long for one and there is a connection (RFC 3261 §18.1.1).
    private func sendInside(_ message: borrowing MessageView, _ forwarding: Forwarding, to address: SocketAddress) -> Departure {
        if insideBatch.isFull { insideSocket.send(&insideBatch) }
        let before = insideBatch.count
        var isForStream = false
        _ = insideBatch.append(to: address, sequence: message.callSequence) { output in
            _ = forwarding.write(message, into: &output, key: core.tokenKey)
            guard output.count > settings.longestDatagram, goesOverStream(forwarding, to: address) else { return }
            isForStream = true
            output.removeAll()
        }
        if isForStream {
            if sendOverStream(message, forwarding, to: address) { return .sent }
            // The connection broke just now.
            guard append(message, forwarding, to: address, &insideBatch) else { return .unsendable }
        }
        guard insideBatch.count > before else { return .unsendable }
        if capture != nil { captureSentInside(to: address) }
        return .sent
    }

    private func append(
        _ message: borrowing MessageView, _ forwarding: Forwarding, to address: SocketAddress, _ batch: inout SendBatch
    ) -> Bool {
        let before = batch.count
        _ = batch.append(to: address, sequence: message.callSequence) { output in _ = forwarding.write(message, into: &output, key: core.tokenKey) }
        return batch.count > before
    }

    /// Nil when this edge does not listen on an address of that family.
    func outsidePort(for phone: SocketAddress) -> OutsidePort? { phone.address.isIPv4 ? outside4 : outside6 }

    private func sendOutside(_ bytes: [UInt8], to address: SocketAddress) {
        guard let port = outsidePort(for: address) else { return Traffic.count(.unsendable) }
        port.makeRoom()
        guard port.batch.append(bytes, to: address) else { return Traffic.count(.unsendable) }
        if capture != nil { captureSent(from: port, to: address) }
    }

    func sendInside(_ bytes: [UInt8], to address: SocketAddress) {
        if insideBatch.isFull { insideSocket.send(&insideBatch) }
        guard insideBatch.append(bytes, to: address) else { return Traffic.count(.unsendable) }
        if capture != nil { captureSentInside(to: address) }
    }

    private func flush() {
        outside4?.flush()
        outside6?.flush()
        insideSocket.send(&insideBatch)
        capture?.flush()
        outsideBytes.flush()
        insideBytes.flush()
    }
}
