public import RTP

/// Where the sources of a receiving context stand, for its successor: what was received since can be replayed to it once.
public struct ReceivingSnapshot: Hashable, Sendable, Codable {
    public struct Source: Hashable, Sendable, Codable {
        public var ssrc: SSRC
        /// The highest packet index (rollover counter and sequence number), and which before it were received.
        public var highest: UInt64?
        public var window: [UInt64]
        public var controlHighest: UInt64?
        public var controlWindow: [UInt64]
    }

    public var sources: [Source]

    public init(sources: [Source] = []) { self.sources = sources }
}
