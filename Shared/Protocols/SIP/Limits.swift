/// How much of a message is read before it is refused: every bound an attacker could push against.
public struct Limits: Sendable {
    public var messageLength: Int
    public var headerCount: Int
    public var lineLength: Int
    /// As many as a request may have hops (RFC 3261 §20.22 recommends 70), and our edge's.
    public var viaCount: Int

    /// What may come from outside, where our edge has not yet added its Via.
    public static let outside = Limits(viaCount: 70)

    public init(messageLength: Int = 65_536, headerCount: Int = 256, lineLength: Int = 8_192, viaCount: Int = 71) {
        (self.messageLength, self.headerCount) = (messageLength, headerCount)
        (self.lineLength, self.viaCount) = (lineLength, viaCount)
    }
}
