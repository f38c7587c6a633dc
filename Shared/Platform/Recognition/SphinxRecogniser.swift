internal import Synchronization
internal import Threads

/// pocketsphinx: recognises American English in this process, offline. What it hears of a telephone with a list of hints is usable,
/// free speech is not (docs/hearing.md says how much of either).
///
/// Each decoder lives on a thread of its own and belongs to one voice at a time; there are as many as the operator allows.
public final class SphinxRecogniser: RecognitionProvider {
    public let name = "sphinx"
    /// How much of the sound before speech was noticed belongs to it, and how often what may change is told; in ms.
    private static let lead = 400
    private static let pause = 300

    private let folder: String
    private let threads: [DecoderThread]
    private let free: Mutex<[Int]>

    /// - Parameter count: how many voices are listened to at once.
    public init(count: Int, folder: String? = nil) {
        self.folder = folder ?? SphinxDecoder.folder
        threads = (0..<count).map { DecoderThread(name: "sphinx-\($0)") }
        free = Mutex(Array(0..<count))
    }

    public func recognise(
        _ sound: AsyncStream<RecognitionSound>, _ options: RecognitionOptions, _ tell: @escaping @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure) {
        let tag = options.language.lowercased()
        guard tag == "en" || tag.hasPrefix("en-") else { throw RecognitionFailure("language", "only English is recognised here") }
        guard let number = free.withLock({ $0.popLast() }) else {
            throw RecognitionFailure("busy", "all \(threads.count) recognisers are listening to others")
        }
        defer { free.withLock { $0.append(number) } }
        let (thread, folder) = (threads[number], folder)
        try await thread.run { decoder throws(RecognitionFailure) in try decoder.prepare(options.hints, folder: folder) }
        var utterance = SpokenStretch(lead: Self.lead)
        var toldAt = 0
        var lastTold = ""
        for await piece in sound {
            switch utterance.take(piece) {
            case .began(let samples):
                (toldAt, lastTold) = (piece.start, "")
                try await thread.run { decoder throws(RecognitionFailure) in try decoder.begin(samples) }
            case .goesOn(let samples):
                let asks = options.interim && piece.start - toldAt >= Self.pause
                let text = try await thread.run { decoder throws(RecognitionFailure) in decoder.hear(samples, asking: asks) }
                guard asks else { break }
                toldAt = piece.start
                guard !text.isEmpty, text != lastTold else { break }
                lastTold = text
                tell(RecognitionResult(text, start: utterance.start, end: utterance.end, isFinal: false))
            case .ended(let samples):
                try await finish(thread, samples, utterance, tell)
            case .nothing:
                break
            }
        }
        if utterance.isOpen { try await finish(thread, [], utterance, tell) }
    }

    private func finish(
        _ thread: DecoderThread, _ samples: [Int16], _ utterance: SpokenStretch, _ tell: @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure) {
        let (text, confidence) = try await thread.run { decoder throws(RecognitionFailure) in decoder.end(samples) }
        guard !text.isEmpty else { return }
        tell(RecognitionResult(text, confidence: confidence, start: utterance.start, end: utterance.end, isFinal: true))
    }
}

/// A thread with the decoder that lives on it.
private final class DecoderThread: @unchecked Sendable {
    // Sendable: `seat` is touched by work on the thread alone.
    final class Seat {
        private var decoder: SphinxDecoder?
        private var hasLanguageModel = false
        private var length = 0

        func prepare(_ hints: [String], folder: String) throws(RecognitionFailure) {
            let needsModel = hints.isEmpty
            if decoder == nil || hasLanguageModel != needsModel {
                decoder = nil
                decoder = SphinxDecoder(folder: folder, languageModel: needsModel)
                hasLanguageModel = needsModel
            }
            guard decoder != nil else { throw RecognitionFailure("failed", "the model of pocketsphinx cannot be read") }
            guard needsModel || decoder?.expect(hints) == true else {
                throw RecognitionFailure("hints", "none of the hints consists of words that the dictionary has")
            }
        }

        func begin(_ samples: [Int16]) throws(RecognitionFailure) {
            guard decoder?.begin() == true else { throw RecognitionFailure("failed", "pocketsphinx does not begin") }
            length = 0
            _ = hear(samples, asking: false)
        }

        /// What is longer than an utterance may be is not listened to.
        func hear(_ samples: [Int16], asking: Bool) -> String {
            length += samples.count
            if length <= SphinxDecoder.longest { decoder?.hear(samples) }
            return asking ? decoder?.hypothesis() ?? "" : ""
        }

        func end(_ samples: [Int16]) -> (String, Double?) {
            _ = hear(samples, asking: false)
            return decoder?.end() ?? ("", nil)
        }
    }

    private let thread: ConnectionThread
    private let seat = Seat()

    init(name: String) {
        thread = ConnectionThread(name: name, capacity: 16)
        thread.start()
    }

    func run<Value: Sendable>(
        _ work: @escaping @Sendable (Seat) throws(RecognitionFailure) -> Value
    ) async throws(RecognitionFailure) -> Value {
        let result: Result<Value, RecognitionFailure> = await withCheckedContinuation { continuation in
            let isQueued = thread.submit {
                continuation.resume(returning: Result { () throws(RecognitionFailure) in try work(self.seat) })
            }
            if !isQueued { continuation.resume(returning: .failure(RecognitionFailure("busy", "the recogniser does not keep up"))) }
        }
        return try result.get()
    }
}
