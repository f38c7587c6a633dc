/// A piece of a stream with an address of its own (RFC 8445 §13): RTP, and RTCP unless both share one.
public struct Component: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let rtp = Component(rawValue: 1)
    public static let rtcp = Component(rawValue: 2)

    public static func < (left: Component, right: Component) -> Bool { left.rawValue < right.rawValue }
}
