import Bytes
import Contracts
import Cryptography
import Deadlines
import FoundationEssentials
import Logging
import ServiceKit
import Synchronization
import Telemetry
import Threads

/// Brings recordings that have ended where they are kept, whoever made them, and deletes those whose time is over.
///
/// What fails is tried again, later and later, for as long as the process lives, and then by whoever comes after it.
final class RecordingArchive: Sendable {
    private static let stored = Counter("tandem_room_recordings_stored_total", "Recordings that were stored.")
    private static let lost = Counter("tandem_room_recordings_lost_total", "Recordings of which nothing could be stored.")
    private static let longestPause = Interval.seconds(60)
    /// A keeper that has been away for so long is dead, and nobody has gone on with its recordings.
    private static let orphanAge = Interval.seconds(10)

    struct Job: Sendable {
        var recording: Recording
        var parts = 1
        var interrupted = false
        var uploadID: String?
    }

    let store: RecordingStore
    let settings: RecordingSettings
    private let runtime: Runtime
    private let outbox: Outbox
    private let logger: Logger
    private let completion: Completion
    private let objects: ObjectStore?
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation
    private let waiting = Atomic<Int>(0)
    private let orphans = Mutex<[String: Instant]>([:])

    init(store: RecordingStore, settings: RecordingSettings, runtime: Runtime, outbox: Outbox, objects: ObjectStore? = nil) {
        self.objects = objects
        (self.store, self.settings, self.runtime, self.outbox) = (store, settings, runtime, outbox)
        (logger, completion) = (runtime.logger, Completion(settings: settings))
        // As many as may go on at a time, and what was found; each is small.
        (jobs, queue) = AsyncStream.makeStream(of: Job.self)
    }

    /// Any thread.
    func ended(_ ended: Recorder.Ended) {
        var recording = ended.recording
        (recording.endReason, recording.endedAt) = (ended.reason, runtime.timestamp())
        submit(Job(recording: recording, parts: ended.parts))
    }

    /// It was to go on here, and cannot. Any thread.
    func interrupted(_ kept: RecordingStore.Kept, parts: Int) {
        submit(Job(recording: kept.recording, parts: parts, interrupted: true, uploadID: kept.uploadID))
    }

    private func submit(_ job: Job) {
        waiting.add(1, ordering: .relaxed)
        queue.yield(job)
    }

    /// Waits until nothing is on its way, for a second at most: a successor does the rest.
    func settle() async {
        for _ in 0..<50 where waiting.load(ordering: .relaxed) > 0 { try? await Task.sleep(for: .milliseconds(20)) }
    }

    /// Runs until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.lookAround() }
            for await job in jobs {
                group.addTask {
                    await self.keep(job)
                    self.waiting.subtract(1, ordering: .relaxed)
                }
            }
            group.cancelAll()
        }
    }

    // MARK: Storing

    private func keep(_ job: Job) async {
        var pause = Interval.milliseconds(200)
        while !Task.isCancelled {
            do {
                try await storeOnce(job)
                return
            } catch {
                logger.warning("a recording waits to be stored: \(error)", metadata: ["recording": "\(job.recording.id)"])
                try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func storeOnce(_ job: Job) async throws {
        var recording = job.recording
        let isOurs = try await store.end(
            recording.id, customer: recording.customerID, recording.endReason ?? .interrupted,
            at: recording.endedAt ?? runtime.timestamp())
        guard isOurs else { return }
        recording.interrupted = job.interrupted
        if job.interrupted { recording.endReason = .interrupted }
        do {
            try await complete(&recording, parts: job.parts)
            recording.status = .stored
        } catch let trouble as RecordingTrouble {
            if case .away = trouble { throw trouble }
            logger.error("a recording is lost: \(trouble)", metadata: ["recording": "\(recording.id)"])
            (recording.status, recording.endReason) = (.failed, .failed)
            (recording.size, recording.sha256, recording.tracks) = (nil, nil, nil)
        }
        let location = recording.status == .stored ? try await upload(recording, job.uploadID) : .local
        let kept = try await store.finish(recording, location: location)
        outbox.wake()
        guard kept != nil else { return }
        (recording.status == .stored ? Self.stored : Self.lost).add()
        LocalFile.remove(completion.path(RecordingPlace(recording).list))
        if location == .s3 { try await removeFiles(of: recording) }
    }

    /// The names of its files, in the folder and in the store.
    private static func names(of recording: Recording) -> [String] {
        let place = RecordingPlace(recording)
        return recording.layout == .tracks ? (recording.tracks ?? []).map { place.file(ofTrack: $0.track) } : [place.file]
    }

    /// To the object store, when there is one. The files here go when all that is written down.
    private func upload(_ recording: Recording, _ begun: String?) async throws -> RecordingStore.Location {
        guard let objects else { return .local }
        if let words = begun?.split(separator: " "), words.count == 2 {
            // Whoever began it has died; what came there is of no use.
            try await objects.abort(String(words[1]), of: String(words[0]))
        }
        for name in Self.names(of: recording) {
            try await objects.put(completion.path(name), as: name) { [store] upload in
                try await store.note(upload: upload.map { "\(name) \($0)" }, of: recording.id)
            }
        }
        return .s3
    }

    /// Makes its files whole, and measures them.
    private func complete(_ recording: inout Recording, parts: Int) async throws {
        let place = RecordingPlace(recording)
        if parts > 1 {
            try await Joining(completion: completion, place: place, format: recording.format, layout: recording.layout).join()
        }
        guard recording.layout == .tracks else {
            let channels = recording.layout == .stereo ? 2 : 1
            let measure = try await complete(place.file, recording.format, channels)
            (recording.size, recording.sha256, recording.durationMS) = (measure.size, measure.sha256, measure.milliseconds)
            return
        }
        var tracks = try await Completion.threads.trouble { [completion] () throws(RecordingTrouble) in try completion.tracks(at: place) }
        var longest = 0
        for index in tracks.indices {
            let measure = try await complete(place.file(ofTrack: tracks[index].track), recording.format, 1)
            (tracks[index].size, tracks[index].sha256) = (measure.size, measure.sha256)
            longest = max(longest, measure.milliseconds)
        }
        (recording.tracks, recording.durationMS) = (tracks, longest)
        recording.size = tracks.reduce(0) { $0 + $1.size }
        recording.sha256 = Completion.hexadecimal(DigestAlgorithm.sha256.hash(Self.manifest(of: recording)))
    }

    private func complete(_ name: String, _ format: RecordingTerms.Format, _ channels: Int) async throws -> Completion.Measure {
        let completion = completion
        try await Completion.threads.trouble { () throws(RecordingTrouble) in
            try completion.complete(name, format: format, channels: channels)
        }
        return try await completion.measure(name, format: format, channels: channels)
    }

    /// What is downloaded of a recording with tracks when none is named.
    static func manifest(of recording: Recording) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(recording.tracks ?? [])).map { Array($0) } ?? []
    }

    // MARK: Reading and removing

    /// A file of a stored recording.
    func media(of kept: RecordingStore.Kept, track: Int?) async throws -> RecordingMedia {
        let place = RecordingPlace(kept.recording)
        let name = track.map { place.file(ofTrack: $0) } ?? place.file
        if kept.location == .s3 {
            guard let objects else { throw RecordingTrouble.away("the store of recordings is not set") }
            return try await RecordingMedia(try await ObjectBytes(objects, name), keys: settings.keys)
        }
        return try await RecordingMedia(
            try LocalBytes(path: completion.path(name), threads: Completion.threads), keys: settings.keys)
    }

    /// Whether its files lie in this folder, or can be had from everywhere.
    func isHere(_ kept: RecordingStore.Kept) -> Bool {
        if kept.location == .s3 { return objects != nil }
        return Self.names(of: kept.recording).first.map { LocalFile.exists(completion.path($0)) } ?? true
    }

    /// The sound first: as long as the row is there, what failed can be done again.
    func remove(_ kept: RecordingStore.Kept) async throws -> Bool {
        if kept.location == .s3, let objects {
            for name in Self.names(of: kept.recording) { try await objects.delete(name) }
        }
        try await removeFiles(of: kept.recording)
        guard try await store.remove(kept.recording) else { return false }
        outbox.wake()
        return true
    }

    private func removeFiles(of recording: Recording) async throws {
        let (place, completion, names) = (RecordingPlace(recording), completion, Self.names(of: recording))
        try await Completion.threads.trouble { () throws(RecordingTrouble) in
            for name in names { LocalFile.remove(completion.path(name)) }
            LocalFile.remove(completion.path(place.list))
            LocalFile.removeFolder(completion.path(place.stem))
            for folder in place.folders.reversed() { LocalFile.removeFolder(completion.path(folder)) }
        }
    }

    /// A recording as something that is played; `layout` `tracks` has no one sound.
    func sound(_ id: String, customer: String) async throws(SoundProblem) -> [UInt8] {
        do {
            guard let kept = try await store.find(customer: customer, id: id), kept.recording.status == .stored,
                kept.recording.layout != .tracks
            else { throw SoundProblem("there is no recording \(id.prefix(80)) that can be played") }
            guard kept.recording.size ?? 0 <= Self.largestPlayed else { throw SoundProblem("the recording \(id) is too long to be played") }
            guard isHere(kept) else { return try await fetch(kept) }
            let media = try await media(of: kept, track: nil)
            return try await media.read(0, media.length)
        } catch let problem as SoundProblem {
            throw problem
        } catch {
            throw SoundProblem("the recording \(id) cannot be read: \(error)")
        }
    }

    private static let largestPlayed = 64 << 20

    /// From the instance that has it.
    private func fetch(_ kept: RecordingStore.Kept) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < kept.recording.size ?? 0 {
            let command = ReadRecording(
                customerID: kept.recording.customerID, id: kept.recording.id, offset: bytes.count, length: ReadRecording.longestPiece)
            let reply = try await runtime.bus.call(command, to: .instance(kept.instance))
            guard let piece = Base64.decode(reply.piece.utf8), !piece.isEmpty else { break }
            bytes += piece
        }
        return bytes
    }

    // MARK: What others have left

    private func lookAround() async {
        // Everybody who lives has been heard of by then.
        try? await Task.sleep(for: .seconds(2))
        var rounds = 0
        while !Task.isCancelled {
            do {
                if !settings.folder.isEmpty { try await adoptOrphans() }
                if settings.days > 0, rounds % 30 == 0 { try await removeOld() }
            } catch {
                logger.debug("recordings cannot be looked after for now: \(error)")
            }
            rounds += 1
            try? await Task.sleep(for: .seconds(2))
        }
    }

    /// Recordings whose process died: their files are finished by whoever has them.
    private func adoptOrphans() async throws {
        let living = Set(runtime.fleet.living(.conferenceServer).map(\.incarnation))
        let found = try await store.unfinished().filter { !living.contains($0.incarnation) }
        let now = MonotonicClock.now()
        let ids = Set(found.map(\.recording.id))
        orphans.withLock { orphans in
            orphans = orphans.filter { ids.contains($0.key) }
            for id in ids where orphans[id] == nil { orphans[id] = now }
        }
        for kept in found {
            // One of the same name has died for certain when this one lives.
            let age = now - orphans.withLock { $0[kept.recording.id] ?? now }
            let isOwn = kept.instance == runtime.instance
            guard isOwn || (age >= Self.orphanAge && LocalFile.length(completion.path(firstFile(of: kept))) != nil) else { continue }
            guard try await store.claim(kept) else { continue }
            logger.notice("a recording of a process that died is finished", metadata: ["recording": "\(kept.recording.id)"])
            submit(
                Job(
                    recording: kept.recording, parts: kept.parts, interrupted: kept.recording.status != .storing,
                    uploadID: kept.uploadID))
        }
    }

    private func firstFile(of kept: RecordingStore.Kept) -> String {
        let place = RecordingPlace(kept.recording)
        return kept.recording.layout == .tracks ? place.list : place.file
    }

    private func removeOld() async throws {
        let time = Timestamp(milliseconds: runtime.timestamp().milliseconds - Int64(settings.days) * 86_400_000)
        for kept in try await store.older(than: time) where isHere(kept) || kept.recording.status == .failed {
            _ = try await remove(kept)
        }
    }
}

extension BlockingThreads {
    /// The same for what may go wrong with recordings.
    func trouble<Value: Sendable>(_ body: @escaping @Sendable () throws(RecordingTrouble) -> Value) async throws -> Value {
        let result = try await run { () throws(SoundProblem) in Result { () throws(RecordingTrouble) in try body() } }
        return try result.get()
    }
}
