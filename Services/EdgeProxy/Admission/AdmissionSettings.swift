import Addresses
import Deadlines

/// What strangers may do to the edge, and how much; every limit is off at zero.
struct AdmissionSettings: Sendable {
    var rates = RequestRates.Limits()
    var bans = BanList.Limits()
    var domains = KnownDomains.Limits()
    var overload = ServerLoad.Limits()
    /// What strangers are told of being refused.
    var refusals = TokenRate(perSecond: 200, burst: 400)
    var stale = Interval.seconds(5)
    var connectionsPerSource = 512
    /// INVITEs that went to servers and are known when they are repeated.
    var calls = 65_536
    var amplification = AmplificationLimit()
    var exempt: [AddressRange] = []
    var scanners: [String] = []
    var emergencyNumbers: [String] = []

    init() {}

    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }
}
