/// What takes part in a room.
public enum ParticipantKind: String, Codable, Sendable { case phone, supervisor, stream }

/// How a call takes part in a room whose member it is not: it hears everybody, is not counted or announced, and does not keep the
/// room alive.
public struct Supervision: Codable, Sendable, Equatable {
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// Nobody hears it.
        case listen
        /// One participant hears it.
        case whisper
        /// Everybody hears it.
        case barge
    }

    public var mode: Mode
    /// The participant that a whisper is for.
    public var whisperTo: String?

    public init(mode: Mode, whisperTo: String? = nil) { (self.mode, self.whisperTo) = (mode, whisperTo) }
}

/// Changes of how loud a participant is, who hears it and whom it hears; what is nil stays.
public struct DirectionChange: Codable, Sendable, Equatable {
    /// Of its voice, in dB.
    public var gainIn: Double?
    /// Of what it hears, in dB.
    public var gainOut: Double?
    /// The participant that alone hears it from now on; empty: everybody does again.
    public var whisperTo: String?
    /// The participants that it hears from now on; empty: everybody again.
    public var hears: [String]?

    public init(gainIn: Double? = nil, gainOut: Double? = nil, whisperTo: String? = nil, hears: [String]? = nil) {
        (self.gainIn, self.gainOut, self.whisperTo, self.hears) = (gainIn, gainOut, whisperTo, hears)
    }

    public var isEmpty: Bool { self == DirectionChange() }
}
