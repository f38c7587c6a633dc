/// How much of a message is read before it is refused: every bound an attacker could push against.
public struct Limits: Sendable {
    public var messageLength: Int
    public var headerCount: Int
    public var lineLength: Int
    /// As many as a request may have hops (RFC 3261 §20.22 recommends 70), and our edge's.
    public var viaCount: Int

    /// What may come from outside. The edge adds a Via, routes and whose request it is: what it lets in must pass inside, where a
    /// message that is too large would end a connection that others share.
    public static let outside = Limits(messageLength: 65_536, headerCount: 256, lineLength: 8_192, viaCount: 70)

    public init(messageLength: Int = 69_632, headerCount: Int = 272, lineLength: Int = 8_448, viaCount: Int = 71) {
        (self.messageLength, self.headerCount) = (messageLength, headerCount)
        (self.lineLength, self.viaCount) = (lineLength, viaCount)
    }
}
