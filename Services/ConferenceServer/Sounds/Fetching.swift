import Fetching
import ServiceKit

// What may be fetched, and how, is the same for sounds, streams and flows.
typealias FetchPolicy = Fetching.FetchPolicy
typealias HostNames = Fetching.HostNames
typealias WebAddress = Fetching.WebAddress
/// Why there is no sound, for whoever asked for it.
typealias SoundProblem = FetchProblem

extension Fetching.FetchPolicy {
    /// One of those that `TANDEM_FETCH_ALLOW` names.
    static let setting = Setting.Format("an address, a range like 10.0.0.0/8 or a host name") { entry in
        // That it is wrong is all there is to say.
        (try? Fetching.FetchPolicy(allowing: [entry])) != nil
    }
}
