import Addresses
import Datagrams
import Deadlines
import SIP
import ServiceKit
import Streams
import Telemetry
import Threads

/// The registrar's SIP side: one inside port, UDP and TCP, on one event loop. Transactions absorb what the edge's clients repeat.
actor RegistrarServer: RequestSending {
    static let malformed = Counter("tandem_registrar_malformed_total", "Datagrams that are no SIP message.")
    static let overStreams = Counter("tandem_registrar_stream_messages_total", "SIP messages received over TCP.")
    static let longDatagrams = Counter(
        "tandem_registrar_long_datagrams_total", "Datagrams longer than TANDEM_SIP_DATAGRAM_BYTES, for want of a connection.")
    private static let shed = Counter("tandem_registrar_shed_total", "Requests refused because too many were under way.")
    /// Requests being performed; more are told to come again.
    private static let limit = 1_000
    private static let allowed = "REGISTER, SUBSCRIBE, OPTIONS"

    nonisolated let loop = EventLoop(name: "registrar")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    nonisolated let address: SocketAddress
    /// What performs requests; there from `start` on.
    private var performers: (register: Register, subscribe: Subscribe)?
    /// Who waits for the end of a request of ours.
    private var waiting: [ClientTransactionID: CheckedContinuation<Int?, Never>] = [:]
    private var isFinishing = false
    let socket: DatagramSocket
    private var received = ReceiveBatch(capacity: 64, size: 65_536)
    var layer: TransactionLayer
    /// The edges over TCP.
    var streams: PeerStreams?
    let streamSettings: InsideStreams
    var outbox = SIP.Outbox()
    private var timer: (handle: EventLoop.Timer, at: Instant)?
    private var running = 0
    /// The way to the phones: through the edge that has their flow while it lives, through any other when it died.
    var edges = EdgeTable()

    init(listen: SocketAddress, longestDatagram: Int, streams: InsideStreams) throws(SocketError) {
        streamSettings = streams
        let socket = try DatagramSocket(bind: listen, receiveBuffer: 4 << 20)
        address = socket.localAddress
        layer = TransactionLayer(sentBy: socket.localAddress, seed: .random(in: .min ... .max))
        layer.longestDatagram = longestDatagram
        self.socket = socket
    }

    nonisolated var contact: URI { URI(address) }

    nonisolated func start(_ register: Register, _ subscribe: Subscribe, _ fleet: Fleet) async throws {
        loop.start()
        try await listen(register, subscribe, fleet)
    }

    /// Sends a request and waits for its end.
    func send(_ request: RequestBuilder) async -> Int? {
        guard !isFinishing else { return nil }
        guard let destination = request.destination else { return 503 }
        let id = layer.request(request, to: destination, now: loop.now, into: &outbox)
        return await withCheckedContinuation { continuation in
            waiting[id] = continuation
            drain()
            arm()
        }
    }

    /// Answers what has been begun, then ends.
    func finish() async {
        isFinishing = true
        // Their answers will not be heard: others ask again.
        for continuation in waiting.values { continuation.resume(returning: nil) }
        waiting = [:]
        loop.unwatch(socket.descriptor)
        while running > 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
    }

    private func listen(_ register: Register, _ subscribe: Subscribe, _ fleet: Fleet) throws {
        performers = (register, subscribe)
        try openStreams(fleet)
        loop.watch(socket.descriptor, .read) { _ in self.assumeIsolated { $0.readable() } }
        loop.afterEachBatch { self.assumeIsolated { $0.arm() } }
    }

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
        } catch { Self.malformed.add() }
    }

    func drain() {
        while !outbox.datagrams.isEmpty || !outbox.events.isEmpty {
            let (datagrams, events) = (outbox.datagrams, outbox.events)
            outbox.removeAll()
            for datagram in datagrams { send(datagram) }
            for event in events { receive(event) }
        }
    }

    private func receive(_ event: SIP.Outbox.Event) {
        switch event {
        case .request(let message, let id, _): perform(message, id)
        case .response(let message, let id):
            guard let status = message.status, status >= 200 else { return }
            waiting.removeValue(forKey: id)?.resume(returning: status)
        case .timedOut(let id): waiting.removeValue(forKey: id)?.resume(returning: 408)
        case .transportFailed(let id): waiting.removeValue(forKey: id)?.resume(returning: 503)
        // No INVITE is sent or taken here.
        case .ack, .cancel, .unacknowledged, .strayResponse: break
        }
    }

    private func perform(_ message: Message, _ id: ServerTransactionID) {
        switch message.method {
        case .register, .subscribe:
            guard running < Self.limit else {
                Self.shed.add()
                return respond(id, Register.busy(message))
            }
            running += 1
            let tag = layer.newTag()
            // Bounded by `limit`; `finish` waits for it.
            Task {
                let response = await performed(message, tag)
                running -= 1
                respond(id, response)
            }
        case .options: respond(id, ResponseBuilder(message, 200))
        default:
            var response = ResponseBuilder(message, 405)
            response.add(.allow, Self.allowed)
            respond(id, response)
        }
    }

    private func performed(_ message: Message, _ tag: String) async -> ResponseBuilder {
        guard let performers else { return Register.busy(message) }
        return message.method == .subscribe
            ? await performers.subscribe(message, contact: contact, newTag: tag) : await performers.register(message)
    }

    private func respond(_ id: ServerTransactionID, _ response: ResponseBuilder) {
        var response = response
        response.toTag = response.toTag ?? layer.newTag()
        layer.respond(id, response, now: loop.now, into: &outbox)
        drain()
    }

    /// One timer of the loop stands for the earliest deadline of all transactions.
    private func arm() {
        let wanted = layer.deadline
        if let timer {
            if timer.at == wanted { return }
            loop.cancel(timer.handle)
            self.timer = nil
        }
        guard let wanted else { return }
        let handle = loop.schedule(at: wanted) {
            self.assumeIsolated {
                $0.timer = nil
                $0.layer.expire(now: $0.loop.now, into: &$0.outbox)
                $0.drain()
            }
        }
        timer = (handle, wanted)
    }
}
