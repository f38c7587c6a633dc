import Addresses
import Datagrams
import Deadlines
import SIP
import Streams
import TLS
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
    private let readDirectory: @Sendable () -> Directory
    private let outsideSocket: DatagramSocket
    private let insideSocket: DatagramSocket
    private var received = ReceiveBatch(capacity: 32, size: 65_535)
    private var outsideBatch = SendBatch(capacity: 32, size: 65_535)
    private var insideBatch = SendBatch(capacity: 32, size: 65_535)

    var directory = Directory()
    /// Of the fixed list of servers, when there is one.
    var watch: ServerWatch?
    var questions: UInt64 = 0
    var accounts: AccountCache
    /// Requests that wait for their account, by the account.
    var parked: [AccountCache.Key: [PendingAuthentication]] = [:]
    var parkedCount = 0
    private var listeners: [StreamListener] = []
    var peers: [UInt32: StreamPeer] = [:]
    /// For new connections; those that are open keep the one they began with.
    var certificate: TLSContext?

    /// How many times in a row a socket is read before the other side has its turn.
    private static let readsPerTurn = 8
    private static let directoryAge = Interval.milliseconds(100)

    init(
        index: Int, settings: EdgeSettings, tokenKey: [UInt8], nonceKey: [UInt8], findAccount: FindAccount,
        certificate: TLSContext?, readDirectory: @escaping @Sendable () -> Directory
    ) throws {
        self.certificate = certificate
        (self.settings, self.findAccount, self.readDirectory) = (settings, findAccount, readDirectory)
        loop = EventLoop(name: "edge-\(index)", processor: index)
        do {
            outsideSocket = try DatagramSocket(bind: settings.listen, reusePort: true, receiveBuffer: 4 << 20)
            insideSocket = try Self.openInside(index, settings)
        } catch {
            let setting = error.address == settings.listen ? "TANDEM_SIP_LISTEN" : "TANDEM_INSIDE_SIP_PORT"
            throw EdgeSettings.Mistake(description: error.description(setting: setting))
        }
        inside = insideSocket.localAddress
        core = ProxyCore(
            ProxyCore.Configuration(
                domain: settings.domain, outside: settings.reachable, outsideStreams: settings.reachableStreams,
                inside: insideSocket.localAddress,
                generation: .random(in: 1 ... .max), tokenKey: tokenKey, nonceKey: nonceKey,
                nonceLifetimeMilliseconds: settings.nonceLifetimeMilliseconds, legacyAgents: settings.legacyAgents,
                retryAfter: settings.retryAfter, alone: settings.alone))
        accounts = AccountCache(
            capacity: settings.accountsRemembered, lifetime: settings.accountLifetime,
            recent: settings.refusalAge)
    }

    private static func openInside(_ index: Int, _ settings: EdgeSettings) throws(SocketError) -> DatagramSocket {
        if let port = settings.insidePort(ofLoop: index) {
            do {
                return try DatagramSocket(bind: SocketAddress(settings.inside, port: port), receiveBuffer: 4 << 20)
            } catch {
                // Only a port that was asked for by name is worth failing for.
                guard settings.insidePort == 0 else { throw error }
            }
        }
        return try DatagramSocket(bind: SocketAddress(settings.inside, port: 0), receiveBuffer: 4 << 20)
    }

    // MARK: Life

    /// Begins to listen; from here on everything happens in callbacks, which are made here and so run isolated to this actor.
    func open() throws {
        for port in settings.streams {
            do {
                listeners.append(
                    try StreamListener(
                        bind: port.address, loop: loop, reusePort: true, limits: settings.streamLimits
                    ) { connection in self.accept(connection, port.transport) })
            } catch { throw EdgeSettings.Mistake(description: error.description(setting: port.setting)) }
        }
        loop.watch(outsideSocket.descriptor, .read) { _ in self.readOutside() }
        loop.watch(insideSocket.descriptor, .read) { _ in self.readInside() }
        loop.afterEachBatch { self.flush() }
        if let alone = settings.alone {
            watch = ServerWatch(alone.servers, every: settings.serverPing, now: MonotonicClock.now())
            watchServers()
        } else {
            refreshDirectory()
        }
    }

    /// Takes nothing new; connections and what is inside go on until the process ends.
    func drain() {
        for listener in listeners { listener.close() }
    }

    func use(_ certificate: TLSContext) { self.certificate = certificate }

    private func refreshDirectory() {
        directory = readDirectory()
        loop.schedule(at: loop.now + Self.directoryAge) { self.refreshDirectory() }
    }

    // MARK: Datagrams

    private func readOutside() {
        for _ in 0..<Self.readsPerTurn {
            let count = outsideSocket.receive(into: &received)
            for index in 0..<count {
                let (bytes, source) = (Self.copy(received[index].bytes), received[index].source)
                if Message.isKeepAlive(bytes) {
                    Traffic.keepAlives.add()
                    continue
                }
                do throws(ParseError) {
                    receiveOutside(try Message.parse(bytes), Arrival(source: source, transport: .udp))
                } catch { Traffic.count(error) }
            }
            guard count == received.capacity else { return }
        }
    }

    private func readInside() {
        for _ in 0..<Self.readsPerTurn {
            let count = insideSocket.receive(into: &received)
            for index in 0..<count {
                let (bytes, source) = (Self.copy(received[index].bytes), received[index].source)
                do throws(ParseError) {
                    let message = try Message.parse(bytes)
                    perform(core.receiveInside(message, from: source), message, from: source)
                } catch { Traffic.count(error) }
            }
            guard count == received.capacity else { return }
        }
    }

    static func copy(_ span: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.count)
        for index in span.indices { bytes.append(span[index]) }
        return bytes
    }

    // MARK: Doing what the core decided

    func receiveOutside(_ message: Message, _ arrival: Arrival) {
        perform(core.receiveOutside(message, arrival, now: WallClock.milliseconds(), directory), message, arrival)
    }

    func perform(_ decision: Decision, _ message: Message, _ arrival: Arrival) {
        switch decision {
        case .forward(let bytes, let destination):
            if message.isRequest {
                Traffic.count(message.method, .outside, .forwarded, over: arrival.transport)
            } else {
                Traffic.countResponse(.outside)
            }
            if !send(bytes, to: destination) { Traffic.count(.connectionGone) }
        case .reply(let bytes, let status):
            Traffic.count(message.method, .outside, Traffic.Outcome(status: status), over: arrival.transport)
            sendOutside(bytes, to: arrival.source)
        case .replyOutside(let bytes, let status, let address):
            Traffic.count(message.method, .outside, Traffic.Outcome(status: status), over: arrival.transport)
            if arrival.transport.isReliable {
                peers[arrival.connection]?.send(bytes)
            } else {
                sendOutside(bytes, to: address)
            }
        case .authenticate(let pending):
            authenticate(pending)
        case .drop(let reason):
            Traffic.count(reason)
        }
    }

    private func perform(_ decision: Decision, _ message: Message, from source: SocketAddress) {
        switch decision {
        case .forward(let bytes, let destination):
            guard send(bytes, to: destination) else {
                return perform(core.flowFailed(message, from: source), message, from: source)
            }
            if message.isRequest { Traffic.count(message.method, .inside, .forwarded) } else { Traffic.countResponse(.inside) }
        case .reply(let bytes, let status), .replyOutside(let bytes, let status, _):
            Traffic.count(message.method, .inside, Traffic.Outcome(status: status))
            sendInside(bytes, to: source)
        case .drop(.foreignResponse) where watch?.heard(source, now: loop.now) == true:
            break
        case .drop(let reason):
            Traffic.count(reason)
        case .authenticate:
            preconditionFailure("what comes from inside is trusted and never challenged")
        }
    }

    /// False when the phone's connection is gone.
    private func send(_ bytes: [UInt8], to destination: Destination) -> Bool {
        switch destination {
        case .server(let address):
            sendInside(bytes, to: address)
            return true
        case .flow(let token) where token.transport == .udp:
            sendOutside(bytes, to: token.remote)
            return true
        case .flow(let token):
            return writeStream(bytes, token)
        }
    }

    private func sendOutside(_ bytes: [UInt8], to address: SocketAddress) {
        if outsideBatch.isFull { outsideSocket.send(&outsideBatch) }
        if !outsideBatch.append(bytes, to: address) { Traffic.count(.unsendable) }
    }

    func sendInside(_ bytes: [UInt8], to address: SocketAddress) {
        if insideBatch.isFull { insideSocket.send(&insideBatch) }
        if !insideBatch.append(bytes, to: address) { Traffic.count(.unsendable) }
    }

    private func flush() {
        outsideSocket.send(&outsideBatch)
        insideSocket.send(&insideBatch)
    }
}
