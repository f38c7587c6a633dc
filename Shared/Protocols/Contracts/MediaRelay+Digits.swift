/// What becomes of the digits of a phone on their way inside.
public enum DigitTreatment: String, Codable, Sendable {
    /// The room gets them as events, once each, and no tone besides.
    case pass
    /// The room and whatever records it hear nothing of them; the call's owner is told with `DigitPressed`.
    case block
}

/// Changes what is given of an open session.
public struct SetMediaSession: Command {
    public typealias Reply = Done
    public static let name = "relay.session.set"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64
    public var digits: DigitTreatment?

    public init(sessionID: String, epoch: UInt64, digits: DigitTreatment? = nil) {
        (self.sessionID, self.epoch, self.digits) = (sessionID, epoch, digits)
    }
}

/// Digits that a phone told by other means than its sound (SIP INFO): they go inside as if it had sent events, and one that comes
/// both ways is one.
public struct PressInMediaSession: Command {
    public typealias Reply = Done
    public static let name = "relay.session.press"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64
    /// Names the press: given twice, it is performed once.
    public var pressID: String
    /// `0`...`9`, `*`, `#`, `A`...`D`.
    public var digits: String
    /// Of each, in ms.
    public var duration: Int

    public init(sessionID: String, epoch: UInt64, pressID: String, digits: String, duration: Int = 160) {
        (self.sessionID, self.epoch, self.pressID) = (sessionID, epoch, pressID)
        (self.digits, self.duration) = (digits, duration)
    }
}
