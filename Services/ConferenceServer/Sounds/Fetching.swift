import Fetching

// What may be fetched, and how, is the same for sounds, streams and flows.
typealias FetchPolicy = Fetching.FetchPolicy
typealias HostNames = Fetching.HostNames
typealias WebAddress = Fetching.WebAddress
/// Why there is no sound, for whoever asked for it.
typealias SoundProblem = FetchProblem
