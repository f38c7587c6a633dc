/// What exactly is to be said, by whom, and how.
public struct Utterance: Hashable, Sendable {
    /// Plain text, or SSML when it begins with `<speak`.
    public var text: String
    /// A BCP 47 tag; a provider may drop the region when it knows only the language.
    public var language: String
    /// A provider's name for a voice; one it does not have is the voice of the language.
    public var voice: String?
    /// Words a minute.
    public var rate: Int
    /// 0 to 99; 50 is the voice's own.
    public var pitch: Int
    /// In tenths of a dB, so that it can be compared.
    public var volume: Int

    public static let usualRate = 160

    public init(
        text: String, language: String? = nil, voice: String? = nil, rate: Int? = nil, pitch: Int? = nil, volume: Double? = nil
    ) {
        (self.text, self.language, self.voice) = (text, language ?? "en", voice.map { String($0.prefix(64)) })
        self.rate = min(max(rate ?? Self.usualRate, 80), 450)
        self.pitch = min(max(pitch ?? 50, 0), 99)
        let decibels = volume.map { $0.isNaN ? 0 : min(max($0, -60), 20) } ?? 0
        self.volume = Int((decibels * 10).rounded())
    }

    public var decibels: Double { Double(volume) / 10 }
    public var isMarkup: Bool { text.hasPrefix("<speak") }
}

/// Somebody who speaks: espeak-ng in this process, or a service that is asked.
public protocol SpeechProvider: Sendable {
    /// What it is asked for by.
    var name: String { get }

    /// Mono, 16 bits, 8 kHz.
    func speak(_ utterance: Utterance) async throws(SpeechError) -> [Int16]
}
