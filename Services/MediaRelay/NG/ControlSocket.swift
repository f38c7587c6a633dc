import Addresses
import Bytes
import Datagrams
import Deadlines
import Logging
import NG
import Telemetry
import Threads

/// Where requests over `ng` come in: reads them, has the media thread of their call do them, and sends the answers.
actor ControlSocket {
    private static let requests = Dictionary(
        uniqueKeysWithValues: Command.allCases.map { command in
            (command, Counter("tandem_ng_requests_total", "Requests over ng, by command.", labels: ["command": command.rawValue]))
        })
    private static let repeated = Counter("tandem_ng_repeated_requests_total", "Requests over ng that came again.")
    private static let refused = Counter("tandem_ng_refused_peers_total", "Datagrams of peers that may not control this relay.")
    private static let malformed = Counter("tandem_ng_malformed_requests_total", "Datagrams of peers that are no requests.")
    private static let failed = Counter("tandem_ng_failed_requests_total", "Requests over ng that were answered with an error.")
    private static let unknownOptions = Counter("tandem_ng_unknown_options_total", "Flags and keys over ng that mean nothing here.")

    nonisolated let loop = EventLoop(name: "ng")
    nonisolated let address: SocketAddress
    private let socket: DatagramSocket
    private let settings: NGSettings
    private let relay: Relay
    private let sounds: SoundShelf
    private let began = MonotonicClock.now()
    private var batch = ReceiveBatch(capacity: 8, size: Limits.bytes)
    private var replies: ReplyCache
    private var isDraining = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(_ listen: SocketAddress, settings: NGSettings, relay: Relay) throws(RelaySettings.Mistake) {
        do throws(SocketError) {
            socket = try DatagramSocket(bind: listen, receiveBuffer: 1 << 22)
        } catch {
            throw RelaySettings.Mistake(description: error.description(setting: "TANDEM_NG_LISTEN"))
        }
        address = socket.localAddress
        (self.settings, self.relay) = (settings, relay)
        sounds = SoundShelf(folder: settings.sounds)
        replies = ReplyCache(capacity: settings.repliesKept)
    }

    nonisolated func start() {
        post { $0.open() }
        loop.start()
        sounds.loop.start()
    }

    nonisolated func stop() {
        loop.stop()
        sounds.loop.stop()
    }

    nonisolated func drain() { post { $0.isDraining = true } }

    nonisolated private func post(_ work: @escaping @Sendable (isolated ControlSocket) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    private func open() { loop.watch(socket.descriptor, .read) { [unowned self] _ in read() } }

    // MARK: Requests

    private func read() {
        let count = socket.receive(into: &batch)
        for index in 0..<count {
            let source = batch[index].source
            guard settings.allows(source.address) else {
                Self.refused.add()
                continue
            }
            let bytes = batch[index].bytes
            take(bytes.indices.map { bytes[$0] }, from: source)
        }
    }

    private func take(_ datagram: [UInt8], from source: SocketAddress) {
        guard let cookie = try? Message.cookie(of: datagram) else { return Self.malformed.add() }
        let key = cookie + Array(" \(source)".utf8)
        switch replies.begin(key, now: loop.now) {
        case .new: break
        case .pending: return Self.repeated.add()
        case .answered(let reply):
            Self.repeated.add()
            socket.send(reply, to: source)
            return
        }
        let message: Message
        do throws(ParseError) {
            message = try Message(parsing: datagram)
        } catch {
            Self.malformed.add()
            return send(Message(cookie: cookie, encoding: .bencode, document: Reply.error("the request cannot be read: \(error)").document), key, source)
        }
        do throws(Request.Mistake) {
            let request = try Request(message.document)
            Self.requests[request.command]?.add()
            if request.options.unknown > 0 { Self.unknownOptions.add(UInt64(request.options.unknown)) }
            perform(request) { [self] reply in post { $0.send(message.answered(reply), key, source) } }
        } catch {
            send(message.answered(.error(error.description)), key, source)
        }
    }

    private func send(_ message: Message, _ key: [UInt8], _ source: SocketAddress) {
        if message.document["result"] == .text("error") { Self.failed.add() }
        let bytes = message.bytes
        replies.answer(key, bytes)
        if socket.send(bytes, to: source) == .tooLong {
            let short = Message(cookie: message.cookie, encoding: message.encoding, document: Reply.error("the answer is too long for a datagram").document)
            socket.send(short.bytes, to: source)
        }
    }

    /// `respond` may be called from any thread.
    private func perform(_ request: Request, _ respond: @escaping @Sendable (Reply) -> Void) {
        switch request.command {
        case .ping: respond(.pong)
        case .list: Survey.list(relay, limit: Int(clamping: request.value("limit")?.integer ?? 32), respond)
        case .statistics: Survey.statistics(relay, uptime: loop.now - began, respond)
        case .playMedia:
            let media = relay.loop(of: request.callID)
            sounds.read(request) { result in
                switch result {
                case .success(let sound): media.post { respond($0.play(sound, request)) }
                case .failure(let refusal): respond(refusal.reply)
                }
            }
        case .startRecording: relay.loop(of: request.callID).post { $0.startRecording(request, respond) }
        case .stopRecording: relay.loop(of: request.callID).post { $0.stopRecording(request, respond) }
        default:
            let isDraining = isDraining
            relay.loop(of: request.callID).post { loop in respond(loop.perform(request, isDraining: isDraining)) }
        }
    }
}
