import Addresses
import Datagrams
import Deadlines
import SIP
import Telemetry
import Threads

/// The registrar's SIP side: one inside UDP socket on one event loop. Transactions absorb what the edge's clients repeat.
actor RegistrarServer {
    private static let malformed = Counter("tandem_registrar_malformed_total", "Datagrams that are no SIP message.")
    private static let shed = Counter("tandem_registrar_shed_total", "REGISTER requests refused because too many were under way.")
    /// REGISTERs being performed; more are told to come again.
    private static let limit = 1_000
    private static let allowed = "REGISTER, OPTIONS"

    nonisolated let loop = EventLoop(name: "registrar")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    nonisolated let address: SocketAddress
    private let register: Register
    private let socket: DatagramSocket
    private var received = ReceiveBatch(capacity: 64, size: 65_536)
    private var layer: TransactionLayer
    private var outbox = SIP.Outbox()
    private var timer: (handle: EventLoop.Timer, at: Instant)?
    private var running = 0

    init(listen: SocketAddress, register: Register) throws(SocketError) {
        let socket = try DatagramSocket(bind: listen, receiveBuffer: 4 << 20)
        address = socket.localAddress
        layer = TransactionLayer(sentBy: socket.localAddress, seed: .random(in: .min ... .max))
        self.socket = socket
        self.register = register
    }

    nonisolated func start() {
        loop.start()
        loop.post { self.assumeIsolated { $0.listen() } }
    }

    /// Answers what has been begun, then ends.
    func finish() async {
        loop.unwatch(socket.descriptor)
        while running > 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
    }

    private func listen() {
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

    private func drain() {
        while !outbox.datagrams.isEmpty || !outbox.events.isEmpty {
            let (datagrams, events) = (outbox.datagrams, outbox.events)
            outbox.removeAll()
            for datagram in datagrams { _ = socket.send(datagram.bytes, to: datagram.to) }
            for event in events {
                // This side only answers requests: nothing else concerns it.
                if case .request(let message, let id, _) = event { perform(message, id) }
            }
        }
    }

    private func perform(_ message: Message, _ id: ServerTransactionID) {
        switch message.method {
        case .register:
            guard running < Self.limit else {
                Self.shed.add()
                return respond(id, Register.busy(message))
            }
            running += 1
            // Bounded by `limit`; `finish` waits for it.
            Task {
                let response = await register(message)
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

    private func respond(_ id: ServerTransactionID, _ response: ResponseBuilder) {
        var response = response
        response.toTag = layer.newTag()
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
