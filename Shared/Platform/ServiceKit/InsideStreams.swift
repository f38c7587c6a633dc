public import Deadlines
public import Streams

/// The connections that servers of the inside network keep to each other: many messages share one, and keep-alives are never far
/// apart.
public struct InsideStreams: Sendable {
    public static let declared = [
        Setting(
            "TANDEM_INSIDE_TCP_QUEUE_BYTES", .integer(65_536...1_073_741_824), default: "4194304",
            "bytes that may wait for another server over TCP; a connection with more is closed"),
        Setting(
            "TANDEM_INSIDE_TCP_IDLE_SECONDS", .integer(2...86_400), default: "120",
            "a connection between servers on which nothing was heard for so long is closed"),
        Setting(
            "TANDEM_INSIDE_TCP_PING_SECONDS", .integer(1...43_200), default: "30",
            "how often the other end of such a connection is asked whether it is there; the same for all services"),
    ]

    public struct Mistake: Error, CustomStringConvertible {
        public let description: String
    }

    public let limits: StreamLimits
    public let ping: Interval

    public init(_ settings: Settings) throws(Mistake) {
        let (idle, ping) = (settings.integer("TANDEM_INSIDE_TCP_IDLE_SECONDS"), settings.integer("TANDEM_INSIDE_TCP_PING_SECONDS"))
        guard idle > ping else {
            throw Mistake(description: "TANDEM_INSIDE_TCP_IDLE_SECONDS must be more than TANDEM_INSIDE_TCP_PING_SECONDS")
        }
        var limits = StreamLimits()
        limits.queuedBytes = settings.integer("TANDEM_INSIDE_TCP_QUEUE_BYTES")
        limits.idle = .seconds(idle)
        (self.limits, self.ping) = (limits, .seconds(ping))
    }
}
