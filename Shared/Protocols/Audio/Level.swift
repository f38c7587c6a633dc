internal import Glibc

/// A sound level in dBFS: 0 is the sine that just reaches full scale.
///
/// G.711 §4 puts the digital milliwatt 3.17 dB below the µ-law overload point, so 0 dBm0 is -3.17 dBFS here.
public struct Level: Comparable, Hashable, Sendable {
    public let dBFS: Double

    /// Below every sound: what digital silence measures.
    public static let silence = Level(dBFS: -120)

    public init(dBFS: Double) { self.dBFS = max(dBFS, -120) }

    public static func dBFS(_ value: Double) -> Level { Level(dBFS: value) }
    public static func dBm0(_ value: Double) -> Level { Level(dBFS: value - 3.17) }

    /// The level of a sine of this peak amplitude.
    public init(amplitude: Double) { self.init(dBFS: amplitude > 0.001 ? 20 * log10(amplitude / 32767) : -120) }

    /// The level of the sine that has the same power as these samples.
    public init(of samples: Span<Int16>) {
        var power = 0.0
        for index in samples.indices { power += Double(samples[index]) * Double(samples[index]) }
        self.init(amplitude: samples.isEmpty ? 0 : (2 * power / Double(samples.count)).squareRoot())
    }

    /// The peak amplitude of a sine at this level.
    public var amplitude: Double { pow(10, dBFS / 20) * 32767 }

    public static func < (left: Level, right: Level) -> Bool { left.dBFS < right.dBFS }
}
