public import RTP

/// Up to where a sender may have gone on, to be kept before it does (RELIABILITY V27): whoever goes on from it never uses an
/// index a second time, whatever was sent since.
public struct Reservation: Hashable, Sendable, Codable {
    public struct Source: Hashable, Sendable, Codable {
        public var ssrc: SSRC
        /// The first packet index (rollover counter and sequence number) that nobody has used.
        public var end: UInt64
        /// The first SRTCP index that nobody has used.
        public var controlEnd: UInt32

        public init(ssrc: SSRC, end: UInt64, controlEnd: UInt32) {
            (self.ssrc, self.end, self.controlEnd) = (ssrc, end, controlEnd)
        }
    }

    public var sources: [Source]

    public init(sources: [Source] = []) { self.sources = sources }
}
