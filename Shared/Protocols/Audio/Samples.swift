/// A finished piece of sound: mono, 16-bit linear, 8 kHz, as the mixer takes it.
public struct Samples: Hashable, Sendable {
    public static let rate = 8000
    /// Samples in one packet of 20 ms.
    public static let frame = 160

    public var values: [Int16]

    public init(_ values: [Int16]) { self.values = values }

    public static func silence(milliseconds: Int) -> Samples {
        Samples(Array(repeating: 0, count: milliseconds * rate / 1000))
    }

    public var count: Int { values.count }
    public var milliseconds: Int { values.count * 1000 / Self.rate }
}
