/// What is asked of whoever recognises speech.
public struct RecognitionOptions: Sendable, Equatable {
    /// A BCP 47 tag.
    public var language: String
    /// Words and phrases that are likely; a small recogniser hears nothing else.
    public var hints: [String]
    /// Whether results that may still change are wanted.
    public var interim: Bool

    public init(language: String = "en", hints: [String] = [], interim: Bool = false) {
        (self.language, self.hints, self.interim) = (language, hints, interim)
    }
}

/// A piece of what somebody says: mono, 16 bits, 8 kHz, without a gap between the pieces.
public struct RecognitionSound: Sendable {
    public enum Edge: Sendable { case began, ended }

    public var samples: [Int16]
    /// Whether speech was found to begin or to end with this piece. It began a little earlier.
    public var edge: Edge?
    /// Where the piece begins, in ms from the beginning of the sound.
    public var start: Int

    public init(_ samples: [Int16], edge: Edge? = nil, start: Int) { (self.samples, self.edge, self.start) = (samples, edge, start) }
}

/// What was understood of a stretch of sound.
public struct RecognitionResult: Sendable, Equatable {
    public var text: String
    /// 0 to 1; nil when the recogniser does not say.
    public var confidence: Double?
    /// In ms from the beginning of the sound.
    public var start: Int
    public var end: Int
    /// It does not change any more.
    public var isFinal: Bool

    public init(_ text: String, confidence: Double? = nil, start: Int, end: Int, isFinal: Bool) {
        (self.text, self.confidence, self.start, self.end, self.isFinal) = (text, confidence, start, end, isFinal)
    }
}

/// Why nothing is recognised any more. The code is for programs: `busy`, `language`, `hints`, `unreachable`, `timeout`, `refused`, `failed`.
public struct RecognitionFailure: Error, Sendable, Equatable {
    public var code: String
    public var detail: String

    public init(_ code: String, _ detail: String) { (self.code, self.detail) = (code, detail) }
}

/// Somebody who understands speech: a library in this process, or a service that is asked.
public protocol RecognitionProvider: Sendable {
    /// What it is asked for by.
    var name: String { get }

    /// Listens to one voice until its sound ends, and tells results meanwhile, in order; returns when the last is told.
    func recognise(
        _ sound: AsyncStream<RecognitionSound>, _ options: RecognitionOptions, _ tell: @escaping @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure)
}
