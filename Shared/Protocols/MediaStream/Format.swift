/// How the sound of a media stream is written: one channel of µ-law, or of 16-bit linear samples, little-endian.
public struct Format: Sendable, Hashable {
    public enum Encoding: Sendable, Hashable { case ulaw, linear }

    public let encoding: Encoding
    /// Samples a second.
    public let rate: Int
    /// As settings call it.
    public let name: String

    private init(_ name: String, _ encoding: Encoding, _ rate: Int) { (self.name, self.encoding, self.rate) = (name, encoding, rate) }

    public static let ulaw = Format("ulaw", .ulaw, 8000)

    /// The names are Asterisk's, which flows written for it have.
    public static let all = [
        ulaw, Format("slin", .linear, 8000), Format("slin16", .linear, 16_000), Format("slin24", .linear, 24_000),
        Format("slin48", .linear, 48_000),
    ]

    public init?(named name: String) {
        guard let format = Self.all.first(where: { $0.name == name }) else { return nil }
        self = format
    }

    public var bytesPerSample: Int { encoding == .ulaw ? 1 : 2 }
    /// In 20 ms.
    public var frameBytes: Int { rate / 50 * bytesPerSample }
    /// As a `start` message names it.
    public var mediaType: String { encoding == .ulaw ? "audio/x-mulaw" : "audio/l16" }
}
