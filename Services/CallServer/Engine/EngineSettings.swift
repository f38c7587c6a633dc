import Addresses
import Deadlines
import SIP
import ServiceKit

/// Settings of the engine.
struct EngineSettings: Sendable {
    var listen: SocketAddress
    /// What is longer goes over a connection.
    var longestDatagram: Int
    var streams: InsideStreams
    var domain: String
    /// What emergency services are dialled as; empty: nobody is reached by their names.
    var emergencyNumber: String
    var maximumLegs: Int
    /// Answers of the suite that all take longer than this mean that it has too much to do.
    var slowAnswer: Interval
    var limits: Leg.Limits
    /// A relay of which nothing has been heard for so long has gone, and its calls with it to another; zero: never.
    var relayPatience: Interval
    /// How long a request waits for a phone that lost its connection to register anew.
    var reconnectTime: Interval
    /// Nil: sessions do not expire.
    var session: SessionTimer.Terms?
    /// For customers without limits of their own.
    var callLimits: CallLimitTable.Defaults
}
