/// Why bytes did not become sound.
public enum SoundError: Error, Hashable, Sendable {
    /// Not a sound file, or one of a kind nobody here reads.
    case unrecognised
    /// Recognised, but cut off or inconsistent.
    case damaged(String)
    case unsupported(String)
    /// Longer than the caller allows, or without any sound.
    case tooLong(limit: Int)
    /// More sound in a byte than any honest file holds.
    case overcompressed(limit: Int)
    case empty
}

extension SoundError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unrecognised: "not a sound file of a known kind"
        case .damaged(let reason): "a damaged sound file: \(reason)"
        case .unsupported(let what): "not supported: \(what)"
        case .tooLong(let limit): "longer than \(limit) seconds"
        case .overcompressed(let limit): "a sound file of more than \(limit) samples in a byte"
        case .empty: "a sound file without any sound"
        }
    }
}
