/// Whether something begins or ends.
public enum TapAction: String, Codable, Sendable {
    case start, stop
}

/// Writes what the phone of a session says and hears to a file on the relay's machine, or ends that.
///
/// Safe to repeat: the same recording is begun once, and its end is told again for as long as the relay remembers it. It ends with the
/// session at the latest.
public struct RecordMediaSession: Command {
    public static let name = "relay.session.record"
    public static let service = ServiceName.mediaRelay

    public enum Channels: String, Codable, Sendable {
        /// What the phone says on the left, what it hears on the right.
        case stereo
        /// The sum of both.
        case mono
    }

    public enum Encoding: String, Codable, Sendable {
        case linear, mulaw
    }

    public var sessionID: String
    public var epoch: UInt64
    /// Names the recording; one session has one at a time.
    public var recordingID: String
    public var action: TapAction
    /// Nil: stereo.
    public var channels: Channels?
    /// Nil: linear, 16 bits.
    public var encoding: Encoding?
    /// False: keys that are pressed are silence.
    public var digits: Bool?
    /// The longest it may be, within what the relay's settings allow.
    public var seconds: Int?
    public var bytes: Int?

    public init(
        sessionID: String, epoch: UInt64, recordingID: String, action: TapAction, channels: Channels? = nil, encoding: Encoding? = nil,
        digits: Bool? = nil, seconds: Int? = nil, bytes: Int? = nil
    ) {
        (self.sessionID, self.epoch, self.recordingID, self.action) = (sessionID, epoch, recordingID, action)
        (self.channels, self.encoding, self.digits, self.seconds, self.bytes) = (channels, encoding, digits, seconds, bytes)
    }

    public typealias Reply = TapReport
}

/// Writes the datagrams of a session as they are on the wire to a pcap file on the relay's machine, or ends that; safe to repeat like
/// a recording.
public struct CaptureMediaSession: Command {
    public static let name = "relay.session.capture"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64
    public var captureID: String
    public var action: TapAction
    /// True: RTP and RTCP before they are protected, and after they have been opened.
    public var plain: Bool?
    public var seconds: Int?
    public var bytes: Int?

    public init(
        sessionID: String, epoch: UInt64, captureID: String, action: TapAction, plain: Bool? = nil, seconds: Int? = nil, bytes: Int? = nil
    ) {
        (self.sessionID, self.epoch, self.captureID, self.action) = (sessionID, epoch, captureID, action)
        (self.plain, self.seconds, self.bytes) = (plain, seconds, bytes)
    }

    public typealias Reply = TapReport
}

/// What a recording or a capture has come to.
public struct TapReport: Codable, Sendable, Equatable {
    public enum End: String, Codable, Sendable {
        case stopped
        /// As long as it may be.
        case full
        case sessionEnded = "session_ended"
        /// The file could not be written.
        case failed
    }

    public var path: String
    public var milliseconds: Int
    public var bytes: Int
    /// Packets that the writer was too slow for.
    public var dropped: Int
    /// Nil while it goes on.
    public var end: End?

    public init(path: String, milliseconds: Int = 0, bytes: Int = 0, dropped: Int = 0, end: End? = nil) {
        (self.path, self.milliseconds, self.bytes, self.dropped, self.end) = (path, milliseconds, bytes, dropped, end)
    }
}
