/// Why a codec cannot be had.
public enum CodecError: Error, Hashable, Sendable {
    /// This codec neither takes nor gives sound at this sampling rate.
    case unsupportedRate(Int)
    /// Telephone tones are heard at 8 kHz only.
    case tonesNeedTelephoneRate
    /// The library gave no state: there is no memory.
    case unavailable
}
