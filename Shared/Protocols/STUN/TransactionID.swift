/// The 96 bits that tie a response to its request (RFC 8489 §5); who makes one takes care that nobody can guess it.
public struct TransactionID: Hashable, Sendable, Codable {
    public let high: UInt32
    public let low: UInt64

    public init(high: UInt32, low: UInt64) { (self.high, self.low) = (high, low) }
}
