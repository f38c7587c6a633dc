import Addresses
import Audio
import Deadlines
import MediaStream
import Streams
import TLS
import Telemetry
import Threads

/// The streams of this instance, on a thread of their own: rooms never wait for what sockets need.
actor StreamDesk {
    private static let live = Gauge("tandem_streams_active", "Media streams that have a place in a room.")
    private static let connections = Counter("tandem_stream_connections_total", "Connections that media streams made.")
    private static let failed = Counter("tandem_streams_failed_total", "Media streams that were given up.")
    private static let dropped = Counter("tandem_stream_dropped_frames_total", "Frames that the other side of a stream was too slow, or away, for.")

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private let hosts: StreamHosts
    private let limits: StreamSession.Limits
    private let onNews: @Sendable (String, StreamSession.News) -> Void
    private var sessions: [String: StreamSession] = [:]

    init(hosts: StreamHosts, limits: StreamSession.Limits, onNews: @escaping @Sendable (String, StreamSession.News) -> Void) {
        loop = EventLoop(name: "streams")
        (self.hosts, self.limits, self.onNews) = (hosts, limits, onNews)
        loop.start()
        for counter in [Self.connections, Self.failed, Self.dropped] { counter.add(0) }
    }

    var count: Int { sessions.count }

    /// What a stream is, in values that may come from any thread.
    struct Order: Sendable {
        let id: String
        let address: StreamAddress
        let subject: Narrator.Subject
        let encapsulation: StreamSession.Encapsulation
        let authorization: String?
        let signing: StreamSigning?
        /// For `wss`.
        let trust: TLSContext?
    }

    /// Begins a stream whose address has been checked.
    func begin(_ order: Order, line: StreamLine, at peer: SocketAddress) throws(SoundError) {
        let (authorization, signing) = (order.authorization.map { [(name: "Authorization", value: $0)] } ?? [], order.signing)
        let plan = StreamSession.Plan(
            address: order.address, subject: order.subject, encapsulation: order.encapsulation,
            fields: { authorization + (signing?.fields ?? []) }, limits: limits, trust: order.trust)
        let id = order.id
        let session = try StreamSession(plan, line: line, loop: loop) { [unowned self] news in assumeIsolated { $0.take(news, of: id) } }
        session.onAddressWanted = { [unowned self] in assumeIsolated { $0.find(order.address, for: id) } }
        sessions[id] = session
        Self.live.set(sessions.count)
        session.begin(at: peer)
    }

    /// A name is looked up, and what it means checked, for every connection.
    private func find(_ address: StreamAddress, for id: String) {
        hosts.find(address) { [loop] result in
            loop.post { self.assumeIsolated { $0.sessions[id]?.found(result) } }
        }
    }

    private func take(_ news: StreamSession.News, of id: String) {
        switch news {
        case .started, .reconnecting: break
        case .stopped(_, let figures): forget(id, figures)
        case .failed(_, let figures):
            Self.failed.add()
            forget(id, figures)
        }
        onNews(id, news)
    }

    private func forget(_ id: String, _ figures: StreamSession.Figures) {
        sessions[id] = nil
        Self.live.set(sessions.count)
        Self.connections.add(UInt64(max(0, figures.connections)))
        Self.dropped.add(UInt64(max(0, figures.droppedOut)))
    }

    nonisolated func stop() { loop.stop() }
}
