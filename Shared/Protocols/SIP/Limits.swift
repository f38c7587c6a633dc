/// How much of a message is read before it is refused: every bound an attacker could push against.
public struct Limits: Sendable {
    public var messageLength: Int
    public var headerCount: Int
    public var lineLength: Int
    /// More Via values than a request may have hops (RFC 3261 §20.22 recommends starting at 70).
    public var viaCount: Int

    public init(messageLength: Int = 65_536, headerCount: Int = 256, lineLength: Int = 8_192, viaCount: Int = 70) {
        (self.messageLength, self.headerCount) = (messageLength, headerCount)
        (self.lineLength, self.viaCount) = (lineLength, viaCount)
    }
}
