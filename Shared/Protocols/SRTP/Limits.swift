/// The bounds of a context.
public struct Limits: Hashable, Sendable {
    /// Sources (SSRC) in one direction at once.
    public var sources: Int
    /// Sources that made room for others and are remembered, so that nothing of theirs is believed twice.
    public var formerSources: Int
    /// How many packets behind the newest one are still taken, 64...960 (RFC 3711 §3.3.2).
    public var replayWindow: Int
    /// How many packets a reservation goes ahead: 2.5 seconds of sound.
    public var reservedPackets: Int
    public var reservedControlPackets: Int
    /// How often a sender's numbers may have begun again before its first packet here: nine hours of sound.
    public var rollovers = 24

    public init(
        sources: Int = 16, formerSources: Int = 240, replayWindow: Int = 128, reservedPackets: Int = 128, reservedControlPackets: Int = 64
    ) {
        precondition(sources > 0 && formerSources >= 0 && ReplayWindow.lengths.contains(replayWindow), "a context has room, and a window of 64...960")
        precondition((2...16_384).contains(reservedPackets) && (2...16_384).contains(reservedControlPackets), "the far end follows the jump")
        (self.sources, self.formerSources, self.replayWindow) = (sources, formerSources, replayWindow)
        (self.reservedPackets, self.reservedControlPackets) = (reservedPackets, reservedControlPackets)
    }
}
