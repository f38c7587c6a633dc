import Bus
import Contracts
import Logging
import Recognition
import Synchronization
import Telemetry

/// The transcriptions of this instance: sound of seats in, results to the calls' owners out. One that fails is told of, and its call goes on.
final class Transcriptions: Sendable {
    /// What is to be written down, and whom to tell.
    struct Order: Sendable {
        let transcription: Transcription
        let watchID: String
        let callID: String
        let owner: String
        /// What its times begin with, in ms: the transcription may have begun in another room.
        let offset: Int
    }

    private static let active = Gauge("tandem_room_transcriptions_active", "Voices that are being recognised.")
    private static let failures = Counter("tandem_room_transcriptions_failed_total", "Voices that are recognised no more, for a failure.")
    private static let results = Counter("tandem_room_transcripts_total", "Final results of recognition.")
    private static let pause = Duration.milliseconds(50)

    private struct State {
        var waiting: [(Order, TranscriptionTap)] = []
        var count = 0
    }

    private let providers: RecognitionProviders
    private let bus: Bus
    private let logger: Logger
    private let limit: Int
    private let state = Mutex(State())
    /// Rung when one begins.
    private let (bell, ringer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameter limit: how many there may be at once.
    init(providers: RecognitionProviders, limit: Int, bus: Bus, logger: Logger) {
        (self.providers, self.limit, self.bus, self.logger) = (providers, limit, bus, logger)
    }

    /// Throws when what is wanted is not set up here.
    func assertProvided(_ transcription: Transcription) throws(RecognitionFailure) { _ = try providers.provider(for: transcription) }

    /// Any thread. The sound goes into the tap from now on; nil when there are too many.
    func begin(_ order: Order) -> TranscriptionTap? {
        let begun = state.withLock { state -> TranscriptionTap? in
            guard state.count < limit else { return nil }
            let tap = TranscriptionTap(order.transcription.direction)
            state.count += 1
            state.waiting.append((order, tap))
            return tap
        }
        if begun != nil { ringer.yield() }
        return begun
    }

    /// One at work.
    private struct Session {
        let order: Order
        let tap: TranscriptionTap
        var feeds: [VoiceFeed]
    }

    /// Runs until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var sessions: [Session] = []
            var rings = bell.makeAsyncIterator()
            while !Task.isCancelled {
                if sessions.isEmpty, await rings.next() == nil { break }
                for (order, tap) in state.withLock({ exchange(&$0.waiting, with: []) }) {
                    let session = Session(order: order, tap: tap, feeds: tap.sides.map(VoiceFeed.init))
                    for feed in session.feeds {
                        let (side, sound) = (feed.side, feed.sound)
                        group.addTask { await self.recognise(side, sound, order) }
                    }
                    sessions.append(session)
                }
                for index in sessions.indices.reversed() where !move(&sessions[index]) {
                    sessions.remove(at: index)
                    state.withLock { $0.count -= 1 }
                }
                try? await Task.sleep(for: Self.pause)
            }
            for index in sessions.indices { Self.finish(&sessions[index]) }
            group.cancelAll()
        }
    }

    /// Hands on what has come; false when that was the last.
    private func move(_ session: inout Session) -> Bool {
        var feeds = session.feeds
        var isSlow = false
        let goesOn = session.tap.drain { side, codes in
            guard let index = feeds.firstIndex(where: { $0.side == side }) else { return }
            if !feeds[index].take(codes) { isSlow = true }
        }
        let lost = session.tap.takeLost() / max(1, feeds.count)
        if lost > 0 { for index in feeds.indices where !feeds[index].skip(frames: lost) { isSlow = true } }
        session.feeds = feeds
        guard goesOn, !isSlow else {
            if isSlow { fail(session.order, nil, RecognitionFailure("busy", "the recogniser does not keep up with the speech")) }
            Self.finish(&session)
            return false
        }
        return true
    }

    private static func finish(_ session: inout Session) {
        for index in session.feeds.indices { session.feeds[index].finish() }
    }

    private func recognise(_ side: Transcription.Side, _ sound: AsyncStream<RecognitionSound>, _ order: Order) async {
        Self.active.add(1)
        defer { Self.active.add(-1) }
        let wanted = order.transcription
        let options = RecognitionOptions(language: wanted.language ?? "en-US", hints: wanted.hints, interim: wanted.interim)
        do throws(RecognitionFailure) {
            let provider = try providers.provider(for: wanted)
            try await provider.recognise(sound, options) { self.tell($0, side, order) }
        } catch {
            fail(order, side, error)
        }
    }

    private func tell(_ result: RecognitionResult, _ side: Transcription.Side, _ order: Order) {
        if result.isFinal { Self.results.add() }
        let transcript = Transcript(
            side: side, text: result.text, confidence: result.confidence, start: order.offset + result.start,
            end: order.offset + result.end, isFinal: result.isFinal)
        bus.tell(HeardInRoom(callID: order.callID, watchID: order.watchID, finding: .transcript(transcript)), to: .instance(order.owner))
    }

    private func fail(_ order: Order, _ side: Transcription.Side?, _ failure: RecognitionFailure) {
        Self.failures.add()
        logger.warning("a transcription fails: \(failure.detail)", metadata: ["call": "\(order.callID)", "code": "\(failure.code)"])
        bus.tell(
            HeardInRoom(
                callID: order.callID, watchID: order.watchID,
                finding: .transcriptFailed(side: side, code: failure.code, detail: failure.detail)), to: .instance(order.owner))
    }
}
