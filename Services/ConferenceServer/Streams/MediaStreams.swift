import Addresses
import Contracts
import Cryptography
import Deadlines
import Logging
import MediaStream
import ServiceKit
import Streams
import Synchronization
import TLS

/// Begins media streams and tells what becomes of them.
final class MediaStreams: Sendable {
    static let declared = [
        Setting("TANDEM_STREAMS", .integer(0...10_000), default: "200", "media streams this instance has at most"),
        Setting("TANDEM_STREAM_ATTEMPTS", .integer(1...100), default: "8", "attempts in a row to connect a media stream before it is given up"),
        Setting("TANDEM_STREAM_QUEUE_MS", .integer(20...60_000), default: "1000", "sound that waits for a slow reader of a media stream; older is dropped"),
        Setting("TANDEM_STREAM_BUFFER_SECONDS", .integer(1...300), default: "30", "sound of a media stream that waits to be heard; more is dropped"),
        Setting(
            "TANDEM_STREAM_AUTHORITIES", default: "/etc/ssl/certs/ca-certificates.crt",
            "file of the certificates that servers of media streams and recognisers (wss) are trusted by"),
    ]

    static let purpose = "conferences.streams"
    private static let queueLimit = 4096

    /// What is told of a stream, and of which.
    struct Told: Sendable {
        let request: StartStream
        let conferenceID: String?
        let news: StreamSession.News
    }

    private let desk: StreamDesk
    private let hosts: StreamHosts
    private let key: [UInt8]
    private let limit: Int
    private let trust: Result<TLSContext, TLSError>
    private let loops: MixerLoops
    private let requests: Requests
    let news: AsyncStream<Told>

    /// Of those that go on.
    private final class Requests: Sendable {
        let all = Mutex<[String: (request: StartStream, conferenceID: String?)]>([:])
    }

    init(_ settings: Settings, _ policy: FetchPolicy, loops: MixerLoops, key: [UInt8]) {
        var limits = StreamSession.Limits()
        limits.attempts = settings.integer("TANDEM_STREAM_ATTEMPTS")
        limits.outgoing = settings.integer("TANDEM_STREAM_QUEUE_MS")
        limits.incoming = settings.integer("TANDEM_STREAM_BUFFER_SECONDS") * 1000
        limits.streams.idle = .seconds(60)
        // What lies there is too old to be dropped: half a second of the fastest format.
        limits.streams.sendBuffer = 64 * 1024
        (self.loops, self.key, limit) = (loops, key, settings.integer("TANDEM_STREAMS"))
        trust = Self.trust(settings)
        hosts = StreamHosts(policy: policy)
        let (news, queue) = AsyncStream.makeStream(of: Told.self, bufferingPolicy: .bufferingOldest(Self.queueLimit))
        self.news = news
        let requests = Requests()
        self.requests = requests
        desk = StreamDesk(hosts: hosts, limits: limits) { id, item in
            let known = requests.all.withLock { all in
                defer { if item.isLast { all[id] = nil } }
                return all[id]
            }
            if let known { queue.yield(Told(request: known.request, conferenceID: known.conferenceID, news: item)) }
        }
    }

    /// What servers are trusted by, read once.
    static func trust(_ settings: Settings) -> Result<TLSContext, TLSError> {
        let authorities = settings.text("TANDEM_STREAM_AUTHORITIES")
        return Result { () throws(TLSError) in try TLSContext.client(trusting: authorities) }
    }

    /// Seats the stream and begins to connect; the reply is what may be kept of it.
    func start(_ command: StartStream, conferenceID: String?, at time: Timestamp) async throws -> StreamSettings {
        let checked = try StreamRules.check(command.stream)
        var request = command
        let authorization = try open(command.stream.authorization, command.stream.sealedAuthorization, context: command.stream.id)
        request.stream.authorization = nil
        request.stream.sealedAuthorization = try seal(authorization, context: command.stream.id)
        let secret = try open(command.stream.secret, command.stream.sealedSecret, context: command.stream.id + "/secret")
        request.stream.secret = nil
        request.stream.sealedSecret = try seal(secret, context: command.stream.id + "/secret")
        guard requests.all.withLock({ $0.count }) < limit else {
            throw RPCError(.exhausted, "this conference server has as many media streams as it may")
        }
        let context = checked.address.isSecure ? try trusted() : nil
        let peer: SocketAddress
        do throws(SoundProblem) { peer = try await hosts.find(checked.address) } catch {
            throw StreamRules.refusal("/url", "address", error.description)
        }
        let line = StreamLine()
        guard try await loops.loop(of: command.roomID).seat(request, line, at: time) else { return request.stream }
        let kept = request
        requests.all.withLock { $0[kept.stream.id] = (kept, conferenceID) }
        let order = StreamDesk.Order(
            id: kept.stream.id, address: checked.address, subject: Self.subject(kept, conferenceID, checked.format),
            encapsulation: kept.stream.encapsulation == .json ? .json : .raw, authorization: authorization,
            signing: secret.map { StreamSigning(secret: $0, stream: kept.stream.id) }, trust: context)
        do { try await desk.begin(order, line: line, at: peer) } catch {
            requests.all.withLock { $0[kept.stream.id] = nil }
            _ = await loops.loop(of: command.roomID).unseat(
                stream: kept.stream.id, room: command.roomID, customer: command.customerID, .requested)
            throw RPCError(.failed, "\(error)")
        }
        return request.stream
    }

    /// False when there is no such stream in that room.
    func stop(_ id: String, room: String, customer: String) async -> Bool {
        await loops.loop(of: room).unseat(stream: id, room: room, customer: customer, .requested)
    }

    func shutDown() { desk.stop() }

    private func trusted() throws -> TLSContext {
        do { return try trust.get() } catch {
            throw RPCError(.unavailable, "TANDEM_STREAM_AUTHORITIES: \(error)")
        }
    }

    private static func subject(_ request: StartStream, _ conferenceID: String?, _ format: Format) -> Narrator.Subject {
        let listen = request.participantID == nil ? StreamSettings.Direction.out : request.stream.listen
        let tracks: [String] =
            switch listen {
            case .in: ["inbound"]
            case .out: ["outbound"]
            case .both: ["inbound", "outbound"]
            }
        return Narrator.Subject(
            customerID: request.customerID, streamID: request.stream.id, callID: request.callID ?? "", conferenceID: conferenceID,
            tracks: tracks, format: format, parameters: request.stream.parameters)
    }

    // MARK: Secrets

    /// As it came, or as it was kept.
    private func open(_ given: String?, _ sealed: [UInt8]?, context: String) throws -> String? {
        guard let sealed else { return given }
        return String(decoding: try SealedBox.open(sealed, key: key, context: Array(context.utf8)), as: UTF8.self)
    }

    private func seal(_ text: String?, context: String) throws -> [UInt8]? {
        guard let text else { return nil }
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        return try SealedBox.seal(Array(text.utf8), key: key, nonce: nonce, context: Array(context.utf8))
    }
}

extension StreamSession.News {
    var isLast: Bool {
        switch self {
        case .started, .reconnecting: false
        case .stopped, .failed: true
        }
    }
}
