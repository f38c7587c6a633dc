public import Addresses
public import Deadlines
import SDP
import SIP
import Streams
public import Threads

/// A SIP telephone with one extension (RFC 3261 user agent), for tests, the self-test call and load.
///
/// It lives on an event loop, so hundreds of lines share a few threads. `open` is implied by `register` and `call`; a phone
/// that only wants to be called without registering opens itself.
public actor PhoneLine {
    enum Reply {
        case provisional(Message)
        case final(Message)
        /// Nothing came in time, or the request could not be sent.
        case none(PhoneError)
    }

    public nonisolated let settings: PhoneSettings
    public nonisolated let loop: EventLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The edge in use; the other one after a connection to it was lost.
    var proxy: SocketAddress
    /// What the phone does with the next call.
    public var incoming: IncomingPolicy
    /// Nil until opened, and after the connection was lost.
    var wire: (any Wire)?
    /// The transactions over `wire`: every new wire begins with new ones.
    var layer: TransactionLayer
    var outbox = Outbox()
    var replies: [ClientTransactionID: (Reply) -> Void] = [:]
    var sessions: [Int: CallSession] = [:]
    var registration = Registration()

    private var armed: (deadline: Instant, timer: EventLoop.Timer)?
    private var nextCall = 1
    private var arrived: [PhoneCall] = []
    private var expectant: [(number: Int, continuation: CheckedContinuation<PhoneCall, any Error>, timer: EventLoop.Timer)] = []
    private var nextExpectant = 0
    private var isSettling = false
    private(set) var isClosed = false

    public init(_ settings: PhoneSettings, on loop: EventLoop = PhoneLoops.next()) {
        (self.settings, self.loop, incoming) = (settings, loop, settings.incoming)
        proxy = settings.proxy
        layer = TransactionLayer(sentBy: SocketAddress(settings.local, port: 0), transport: settings.transport, seed: 0)
    }

    public nonisolated var number: String { settings.number }

    /// The signalling address of this phone.
    public func localAddress() throws -> SocketAddress {
        try open()
        return layer.sentBy
    }

    public func setIncoming(_ policy: IncomingPolicy) { incoming = policy }

    /// Opens the socket, or starts the connection to the proxy. Does nothing when it is open.
    public func open() throws {
        guard wire == nil else { return }
        guard !isClosed else { throw PhoneError.wrongState("phone \(number) is closed") }
        let receive: (Message, SocketAddress) -> Void = { [weak self] message, source in
            self?.assumeIsolated { $0.receive(message, from: source) }
        }
        var inUse = settings
        inUse.proxy = proxy
        let opened: any Wire
        do {
            if settings.transport == .udp {
                opened = try DatagramWire(loop: loop, local: settings.local, receive: receive)
            } else {
                opened = try StreamWire(
                    loop: loop, inUse, layers: StreamLayers(inUse), receive: receive
                ) { [weak self] end in
                    self?.assumeIsolated { $0.connectionEnded(end) }
                }
            }
        } catch {
            throw PhoneError.unreachable("\(error)")
        }
        layer = TransactionLayer(sentBy: opened.localAddress, transport: opened.transport, seed: .random(in: .min ... .max))
        wire = opened
    }

    /// Hangs up every call, unregisters, and closes, waiting for the other side no longer than `limit`; nothing can be done
    /// with the phone afterwards.
    public func close(within limit: Interval = .seconds(3)) async {
        guard !isClosed else { return }
        for session in Array(sessions.values) where session.phase != .ended { try? beginHangUp(session) }
        leave()
        let end = MonotonicClock.now() + limit
        while registration.isActive || sessions.values.contains(where: { $0.phase != .ended }), MonotonicClock.now() < end {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { break }
        }
        disappear()
    }

    /// Closes without a word to anyone, as a phone does that loses its power.
    public func disappear() {
        isClosed = true
        registration.cancelRefresh(on: loop)
        for session in sessions.values { session.finish(.failed("phone \(number) was switched off"), loop: loop) }
        wire?.close()
        wire = nil
        if let armed { loop.cancel(armed.timer) }
        armed = nil
        failReplies(.unreachable("phone \(number) was switched off"))
        for waiting in expectant { waiting.continuation.resume(throwing: PhoneError.wrongState("phone \(number) is closed")) }
        expectant = []
    }

    // MARK: Calls that arrive

    /// The next call that came in, or comes in within `limit`. Each is given out once.
    public func incomingCall(within limit: Interval = .seconds(10)) async throws -> PhoneCall {
        if !arrived.isEmpty { return arrived.removeFirst() }
        return try await withCheckedThrowingContinuation { continuation in
            let own = nextExpectant
            nextExpectant += 1
            let timer = loop.schedule(at: loop.now + limit) { [weak self] in
                self?.assumeIsolated { $0.giveUpExpecting(own, limit) }
            }
            expectant.append((own, continuation, timer))
        }
    }

    private func giveUpExpecting(_ number: Int, _ limit: Interval) {
        guard let index = expectant.firstIndex(where: { $0.number == number }) else { return }
        let error = PhoneError.timedOut("phone \(self.number) was not called within \(limit.seconds) s")
        expectant.remove(at: index).continuation.resume(throwing: error)
    }

    func announce(_ session: CallSession) {
        let call = PhoneCall(line: self, id: session.id, peer: session.peer)
        guard !expectant.isEmpty else {
            // A load test never asks: the newest are kept.
            if arrived.count == 64 { arrived.removeFirst() }
            return arrived.append(call)
        }
        let waiting = expectant.removeFirst()
        loop.cancel(waiting.timer)
        waiting.continuation.resume(returning: call)
    }

    // MARK: Sessions

    func newSession(_ role: CallSession.Role, peer: String) throws -> CallSession {
        let id = nextCall
        nextCall += 1
        let sound = try SoundStream(
            loop: loop, local: settings.media ?? settings.local, elsewhere: settings.soundElsewhere, tone: settings.tone, memory: settings.memory)
        (sound.reports, sound.losesEach) = (settings.reports, settings.losesEach)
        let local = LocalMedia(
            address: sound.localAddress, codecs: settings.codecs + (settings.hasEvents ? [.telephoneEvent] : []),
            multiplexesRTCP: settings.reports)
        let media = OfferAnswer(sessionID: .random(in: .min ... .max), local: local)
        let session = CallSession(id: id, role: role, peer: peer, sound: sound, media: media, now: loop.now)
        sessions[id] = session
        return session
    }

    func session(_ id: Int) throws -> CallSession {
        guard let session = sessions[id] else { throw PhoneError.wrongState("that call was forgotten") }
        return session
    }

    // MARK: Time

    /// Runs `body` on the transactions, then sends what is to be sent and tells what is to be told.
    func withLayer<T>(_ body: (inout TransactionLayer, inout Outbox) -> T) throws -> T {
        guard wire != nil else { throw PhoneError.unreachable("phone \(number) has no connection to \(proxy)") }
        defer { settle() }
        return body(&layer, &outbox)
    }

    private func settle() {
        guard !isSettling else { return }
        isSettling = true
        while !outbox.datagrams.isEmpty || !outbox.events.isEmpty {
            let (datagrams, events) = (outbox.datagrams, outbox.events)
            outbox.removeAll()
            for datagram in datagrams { _ = wire?.send(datagram.bytes, to: datagram.to) }
            for event in events { handle(event) }
        }
        isSettling = false
        arm()
    }

    private func arm() {
        guard wire != nil, let deadline = layer.deadline else { return }
        if let armed {
            if armed.deadline == deadline { return }
            loop.cancel(armed.timer)
        }
        let timer = loop.schedule(at: deadline) { [weak self] in
            self?.assumeIsolated { line in
                line.armed = nil
                _ = try? line.withLayer { layer, outbox in
                    layer.expire(now: line.loop.now, into: &outbox)
                    line.turnAside(&outbox)
                }
            }
        }
        armed = (deadline, timer)
    }

    /// What is sent again found nobody the first time: over UDP it goes to the standby edge (RFC 3263 §4.3).
    private func turnAside(_ outbox: inout Outbox) {
        guard settings.transport == .udp, let standby = settings.standby else { return }
        let datagrams = outbox.datagrams
        outbox.datagrams.removeAll()
        for datagram in datagrams { outbox.send(datagram.bytes, to: standby) }
    }

    private func receive(_ message: Message, from source: SocketAddress) {
        guard incoming != .ignore || !message.isRequest else { return }
        _ = try? withLayer { $0.receive(message, from: source, now: loop.now, into: &$1) }
    }

    private func connectionEnded(_ end: StreamEnd) {
        guard wire != nil else { return }
        wire = nil
        if let armed { loop.cancel(armed.timer) }
        armed = nil
        if let standby = settings.standby { proxy = proxy == standby ? settings.proxy : standby }
        failReplies(.unreachable("phone \(number) lost its connection: \(end)"))
        if registration.isActive, settings.reconnects, !isClosed { refreshRegistration(after: .milliseconds(300)) }
    }

    private func failReplies(_ error: PhoneError) {
        let waiting = replies
        replies = [:]
        for reply in waiting.values { reply(.none(error)) }
    }
}
