import Addresses
import Contracts
import Deadlines
import Logging
import ServiceKit
import Synchronization
import Telemetry
import Threads

/// Writes recordings and captures on a thread of its own: a disk that is slow holds up no packet.
actor Recorder {
    typealias Respond = @Sendable (Result<TapReport, RPCError>) -> Void

    private static let open = Gauge("tandem_relay_taps_active", "Recordings and captures that are being written.")
    private static let failures = Counter("tandem_relay_tap_failures_total", "Recordings and captures whose file could not be written.")
    private static let pause = Interval.milliseconds(100)
    /// Ended ones whose end can be told again.
    private static let memory = 1024

    /// What a file is to hold.
    enum Order: Sendable {
        case recording(Recording.Terms)
        case capture(addresses: [IPAddress], seconds: Int, bytes: Int)
    }

    nonisolated let loop = EventLoop(name: "recorder")
    nonisolated let settings: TapSettings
    private let logger: Logger
    private let count = Atomic<Int>(0)
    private let lastID = Atomic<UInt32>(0)
    private var rings: [RecordRing] = []
    private var files: [UInt32: TapFile] = [:]
    /// By name, and in the order they ended.
    private var ended: [String: TapReport] = [:]
    private var endedNames: [String] = []
    private var isTicking = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(_ settings: TapSettings, logger: Logger) { (self.settings, self.logger) = (settings, logger) }

    nonisolated private func post(_ work: @escaping @Sendable (isolated Recorder) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    // MARK: From the media threads

    /// The ring of one media thread.
    nonisolated func makeRing() -> RecordRing {
        let ring = RecordRing(capacity: settings.buffer)
        post { $0.rings.append(ring) }
        return ring
    }

    /// A name for one more; nil when there are as many as there may be.
    nonisolated func reserve() -> UInt32? {
        guard count.add(1, ordering: .relaxed).newValue <= settings.limit else {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        return lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Begins a file, called `file` or after its session and the time. One of that name that has ended is not begun again: its end is told.
    nonisolated func begin(
        _ id: UInt32, _ name: String, session: String, file base: String? = nil, _ order: Order, release: @escaping @Sendable () -> Void,
        _ respond: @escaping Respond
    ) {
        post { recorder in
            if let report = recorder.ended[name] {
                recorder.count.subtract(1, ordering: .relaxed)
                release()
                return respond(.success(report))
            }
            do throws(OutputFile.Failure) {
                let file = try recorder.open(name, base ?? "\(OutputFile.name(session))-\(WallClock.milliseconds())", order, release)
                recorder.files[id] = file
                Self.open.set(recorder.files.count)
                recorder.logger.info("a file of a session begins", metadata: ["session": "\(session)", "path": "\(file.report(dropped: 0).path)"])
                recorder.tickSoon()
                respond(.success(file.report(dropped: 0)))
            } catch {
                Self.failures.add()
                recorder.count.subtract(1, ordering: .relaxed)
                recorder.logger.warning("a file of a session cannot be made: \(error)", metadata: ["session": "\(session)"])
                release()
                respond(.failure(RPCError(.failed, "the file cannot be made")))
            }
        }
    }

    nonisolated func report(_ id: UInt32, _ name: String, dropped: Int, _ respond: @escaping Respond) {
        post { recorder in
            recorder.drain()
            if let file = recorder.files[id] { return respond(.success(file.report(dropped: dropped))) }
            recorder.tell(name, respond)
        }
    }

    /// What has been copied until now is the end of it.
    nonisolated func finish(_ id: UInt32, _ name: String, dropped: Int, _ end: TapReport.End, _ respond: Respond? = nil) {
        post { recorder in
            recorder.drain()
            recorder.end(id, dropped: dropped, end)
            if let respond { recorder.tell(name, respond) }
        }
    }

    /// The end of one that is over.
    nonisolated func remembered(_ name: String, _ respond: @escaping Respond) { post { $0.tell(name, respond) } }

    // MARK: On the writing thread

    private func tell(_ name: String, _ respond: Respond) {
        respond(ended[name].map { .success($0) } ?? .failure(RPCError(.notFound, "nothing of that name is being written")))
    }

    private func open(
        _ name: String, _ base: String, _ order: Order, _ release: @escaping @Sendable () -> Void
    ) throws(OutputFile.Failure) -> TapFile {
        let now = MonotonicClock.now()
        switch order {
        case .recording(let terms):
            try OutputFile.makeFolder(settings.recordings)
            let file = try OutputFile(creating: "\(settings.recordings)/\(base).wav")
            guard let recording = try? Recording(terms, now: now) else { throw OutputFile.Failure("no detector of keys is to be had") }
            return TapFile(
                name, file, .recording(recording), now: now, longest: .milliseconds(terms.longest / 8), largest: terms.largest, release: release)
        case .capture(let addresses, let seconds, let bytes):
            try OutputFile.makeFolder(settings.captures)
            let file = try OutputFile(creating: "\(settings.captures)/\(base).pcap")
            return TapFile(
                name, file, .capture(addresses: addresses, microseconds: WallClock.microseconds()), now: now, longest: .seconds(seconds),
                largest: bytes, release: release)
        }
    }

    private func drain() {
        for ring in rings {
            ring.drain { head, bytes in
                guard let file = files[UInt32(truncatingIfNeeded: head[0] >> 32)], let kind = Tap.Kind(rawValue: head[0] & 0xffff_ffff) else { return }
                let peer = SocketAddress(IPAddress(v6High: head[3], v6Low: head[4]), port: UInt16(truncatingIfNeeded: head[2] >> 16))
                file.take(kind, at: Instant(nanoseconds: head[1]), peer: peer, port: UInt16(truncatingIfNeeded: head[2]), bytes, number: UInt8(truncatingIfNeeded: head[5]))
            }
        }
    }

    private func tickSoon() {
        guard !isTicking else { return }
        isTicking = true
        loop.schedule(at: loop.now + Self.pause) { self.assumeIsolated { $0.tick() } }
    }

    private func tick() {
        isTicking = false
        drain()
        let now = MonotonicClock.now()
        for (id, file) in files {
            file.tick(now: now)
            if file.failure != nil || file.isFull { end(id, dropped: 0, file.failure == nil ? .full : .failed) }
        }
        if !files.isEmpty { tickSoon() }
    }

    private func end(_ id: UInt32, dropped: Int, _ end: TapReport.End) {
        guard let file = files.removeValue(forKey: id) else { return }
        file.finish(now: MonotonicClock.now())
        file.release()
        count.subtract(1, ordering: .relaxed)
        Self.open.set(files.count)
        var end = end
        if let failure = file.failure {
            end = .failed
            Self.failures.add()
            logger.warning("a file of a session is not whole: \(failure)")
        }
        let report = file.report(dropped: dropped, end: end)
        logger.info(
            "a file of a session is done",
            metadata: ["path": "\(report.path)", "end": "\(end.rawValue)", "ms": "\(report.milliseconds)", "bytes": "\(report.bytes)"])
        if endedNames.count >= Self.memory { ended[endedNames.removeFirst()] = nil }
        ended[file.name] = report
        endedNames.append(file.name)
    }

    /// The process ends: what is open is finished.
    func finishAll() {
        drain()
        for id in Array(files.keys) { end(id, dropped: 0, .sessionEnded) }
    }
}
