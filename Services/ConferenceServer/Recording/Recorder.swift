import Contracts
import Deadlines
import Logging
import Synchronization
import Telemetry
import Threads

/// Writes recordings on a thread of its own: a disk that is slow holds up no mixer.
actor Recorder {
    private static let active = Gauge("tandem_room_recordings_active", "Recordings that go on.")
    private static let failures = Counter("tandem_room_recording_failures_total", "Recordings whose file could not be written.")
    private static let dropped = Counter("tandem_room_recording_dropped_frames_total", "Frames that recordings lack: their ring was full.")
    private static let drainPause = Interval.milliseconds(100)
    private static let flushPause = Interval.milliseconds(500)
    /// Who changes rooms has so long to arrive.
    private static let driftLimit = Interval.seconds(2)

    /// What is to be recorded, and to be known of it afterwards.
    struct Start: Sendable {
        var recording: Recording
        var terms: RecordingTerms
        var place: RecordingPlace
        var beeps = false
        var isPaused = false
    }

    /// A recording that has ended; its files are closed.
    struct Ended: Sendable {
        var recording: Recording
        var reason: Recording.End
        var failure: String?
        /// In so many parts.
        var parts = 1
    }

    private struct Seat: Equatable {
        var roomID: String
        var participantID: String
    }

    private final class Running {
        let start: Start
        let files: TakeFiles
        var roomID: String
        /// The mixer was told that it is over.
        var isEnding = false
        /// The participant left its room, then, and sits nowhere.
        var drift: (since: Instant, end: TapEnd)?
        /// Where the participant sits now, when it came there before it left.
        var next: Seat?

        init(_ start: Start, _ files: TakeFiles) { (self.start, self.files, roomID) = (start, files, start.recording.roomID) }

        /// Whose recording it is, when it follows somebody.
        var follows: String? { start.recording.participantID == nil ? nil : start.recording.callID }
    }

    nonisolated let loop = EventLoop(name: "recordings")
    nonisolated let settings: RecordingSettings
    private let logger: Logger
    private let count = Atomic<Int>(0)
    private let lastNumber = Atomic<UInt32>(0)
    /// By the mixer that fills it.
    private let rings = Mutex<[ObjectIdentifier: RecordRing]>([:])
    private let followed = Mutex<[String: Int]>([:])
    private let wiring = Mutex<(loops: MixerLoops?, onEnd: (@Sendable (Ended) -> Void)?)>((nil, nil))
    private var running: [UInt32: Running] = [:]
    private var isTicking = false
    private var flushedAt = Instant(nanoseconds: 0)

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(_ settings: RecordingSettings, logger: Logger) {
        (self.settings, self.logger) = (settings, logger)
        loop.start()
    }

    /// Given while the service is wired: the rooms, and whom to tell of what has ended.
    nonisolated func connect(_ loops: MixerLoops, onEnd: @escaping @Sendable (Ended) -> Void) {
        wiring.withLock { $0 = (loops, onEnd) }
    }

    nonisolated private func post(_ work: @escaping @Sendable (isolated Recorder) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    // MARK: Any thread

    nonisolated var isOn: Bool { !settings.folder.isEmpty }
    nonisolated var activeCount: Int { count.load(ordering: .relaxed) }

    /// The ring of a mixer's thread.
    nonisolated private func ring(of mixer: MixerLoop) -> RecordRing {
        rings.withLock { rings in
            let ring = rings[ObjectIdentifier(mixer)] ?? RecordRing(capacity: settings.buffer)
            rings[ObjectIdentifier(mixer)] = ring
            return ring
        }
    }

    /// Begins a recording: its files first, then its place in the room.
    nonisolated func start(_ start: Start) async throws(RPCError) {
        guard let loops = wiring.withLock({ $0.loops }) else { throw RPCError(.unavailable, "recordings are not ready") }
        guard count.add(1, ordering: .relaxed).newValue <= settings.limit else {
            count.subtract(1, ordering: .relaxed)
            throw RPCError(.exhausted, "as many recordings go on as may")
        }
        let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        do throws(RPCError) { try await open(number, start) } catch {
            count.subtract(1, ordering: .relaxed)
            throw error
        }
        let mixer = loops.loop(of: start.recording.roomID)
        let order = RoomTap.Order(
            number: number, recordingID: start.recording.id, roomID: start.recording.roomID,
            participantID: start.recording.participantID, terms: start.terms, position: start.place.position,
            isPaused: start.isPaused, beeps: start.beeps, ring: ring(of: mixer))
        do throws(RPCError) { try await mixer.begin(order) } catch {
            await abandon(number)
            throw error
        }
    }

    /// The room gives nothing more. Any thread.
    nonisolated func tapEnded(_ end: TapEnd) { post { $0.ended(end) } }

    /// A call has taken a seat: a recording that follows it goes on there. Any thread.
    nonisolated func seated(_ settings: ParticipantSettings, in roomID: String) {
        guard followed.withLock({ $0[settings.callID] != nil }) else { return }
        let seat = Seat(roomID: roomID, participantID: settings.participantID)
        let call = settings.callID
        post { $0.arrived(call, seat) }
    }

    // MARK: On the writing thread

    private func open(_ number: UInt32, _ start: Start) throws(RPCError) {
        do {
            let take = try Take(start.terms, longest: settings.seconds, mostTracks: settings.tracks, position: start.place.position)
            let files = try TakeFiles(take, at: start.place, settings)
            running[number] = Running(start, files)
        } catch {
            Self.failures.add()
            logger.warning("a recording cannot be begun: \(error)", metadata: ["recording": "\(start.recording.id)"])
            throw RPCError(.failed, "the recording's file cannot be made")
        }
        if let call = running[number]?.follows { followed.withLock { $0[call, default: 0] += 1 } }
        Self.active.set(running.count)
        tickSoon()
    }

    /// It has not begun.
    private func abandon(_ number: UInt32) { _ = remove(number) }

    private func remove(_ number: UInt32) -> Running? {
        guard let gone = running.removeValue(forKey: number) else { return nil }
        count.subtract(1, ordering: .relaxed)
        Self.active.set(running.count)
        if let call = gone.follows {
            followed.withLock { followed in
                let left = (followed[call] ?? 1) - 1
                followed[call] = left > 0 ? left : nil
            }
        }
        return gone
    }

    /// Ends a recording by its id; false when it is not here.
    func stop(_ id: String, _ reason: Recording.End = .stopped) -> Bool {
        guard let (number, recording) = running.first(where: { $0.value.start.recording.id == id }) else { return false }
        drain()
        if let (_, end) = recording.drift { finish(number, at: end.position, reason) } else { end(number, recording, reason) }
        return true
    }

    /// False when it is not here.
    func pause(_ id: String, _ paused: Bool) -> Bool {
        guard let (number, recording) = running.first(where: { $0.value.start.recording.id == id }) else { return false }
        recording.drift?.end.isPaused = paused
        let room = recording.roomID
        wiring.withLock { $0.loops }?.loop(of: room).post { $0.pause(tap: number, room: room, paused) }
        return true
    }

    /// Has the mixer end it; what comes back is its end.
    private func end(_ number: UInt32, _ recording: Running, _ reason: Recording.End) {
        guard !recording.isEnding else { return }
        recording.isEnding = true
        let room = recording.roomID
        wiring.withLock { $0.loops }?.loop(of: room).post { $0.end(tap: number, room: room, reason) }
    }

    private func ended(_ end: TapEnd) {
        drain()
        guard let recording = running[end.number] else { return }
        if end.dropped > 0 { Self.dropped.add(UInt64(clamping: end.dropped)) }
        guard end.reason == .left, recording.follows != nil, !recording.isEnding else {
            return finish(end.number, at: end.position, end.reason)
        }
        recording.drift = (MonotonicClock.now(), end)
        if let next = recording.next { goOn(end.number, recording, in: next) }
    }

    private func arrived(_ call: String, _ seat: Seat) {
        for (number, recording) in running where recording.follows == call {
            if recording.drift != nil {
                goOn(number, recording, in: seat)
            } else if seat.roomID != recording.roomID {
                // It has not left yet.
                recording.next = seat
            }
        }
    }

    /// The recording goes on in another room, with silence for the time between.
    private func goOn(_ number: UInt32, _ recording: Running, in seat: Seat) {
        guard let (since, end) = recording.drift, let loops = wiring.withLock({ $0.loops }) else { return }
        (recording.drift, recording.next, recording.roomID) = (nil, nil, seat.roomID)
        let passed = end.isPaused ? 0 : Int(clamping: (MonotonicClock.now() - since).nanoseconds / 20_000_000)
        let mixer = loops.loop(of: seat.roomID)
        let order = RoomTap.Order(
            number: number, recordingID: recording.start.recording.id, roomID: seat.roomID, participantID: seat.participantID,
            terms: recording.start.terms, position: end.position + passed, isPaused: end.isPaused, ring: ring(of: mixer))
        mixer.post { mixer in
            do throws(RPCError) { try mixer.begin(order) } catch {
                // It has left there, too.
                var end = end
                end.reason = .roomEnded
                self.tapEnded(end)
            }
        }
    }

    private func finish(_ number: UInt32, at position: Int, _ reason: Recording.End) {
        guard let gone = remove(number) else { return }
        gone.files.finish(at: position)
        var reason = gone.files.take.end ?? reason
        if let failure = gone.files.failure {
            reason = .failed
            Self.failures.add()
            logger.warning("a recording is not whole: \(failure)", metadata: ["recording": "\(gone.start.recording.id)"])
        }
        logger.info("a recording has ended", metadata: ["recording": "\(gone.start.recording.id)", "reason": "\(reason.rawValue)"])
        let ended = Ended(recording: gone.start.recording, reason: reason, failure: gone.files.failure?.description,
            parts: gone.start.place.part ?? 1)
        wiring.withLock { $0.onEnd }?(ended)
    }

    private func drain() {
        for ring in rings.withLock({ Array($0.values) }) {
            ring.drain { head, bytes in
                guard let kind = RoomTap.Kind(rawValue: head[0] & 0xffff_ffff),
                    let recording = running[UInt32(truncatingIfNeeded: head[0] >> 32)]
                else { return }
                recording.files.receive(
                    kind, bytes, at: Int(truncatingIfNeeded: head[1]), flags: head[2], track: UInt32(truncatingIfNeeded: head[3]))
            }
        }
    }

    private func tickSoon() {
        guard !isTicking else { return }
        isTicking = true
        _ = loop.schedule(at: loop.now + Self.drainPause) { self.assumeIsolated { $0.tick() } }
    }

    private func tick() {
        isTicking = false
        drain()
        let now = MonotonicClock.now()
        let flushes = now - flushedAt >= Self.flushPause
        if flushes { flushedAt = now }
        for (number, recording) in running {
            if flushes { recording.files.flush() }
            if let (since, end) = recording.drift {
                if now - since > Self.driftLimit { finish(number, at: end.position, .left) }
            } else if recording.files.failure != nil {
                end(number, recording, .failed)
            } else if let reason = recording.files.take.end {
                end(number, recording, reason)
            }
        }
        if !running.isEmpty { tickSoon() }
    }

    /// The process ends: the files are closed as they are, and whoever comes after it goes on with them, or stores them.
    func close() {
        drain()
        for (number, recording) in running {
            _ = remove(number)
            recording.files.finish(at: recording.drift?.end.position ?? recording.files.take.length)
        }
    }
}
