import Addresses
import Deadlines

/// Where what comes from outside goes: the servers that are alive, and where the calls of the last half minute went.
///
/// One loop's own. Its time is that of the last renewal, which comes ten times a second: nothing here is finer than a second.
struct Placement: Sendable {
    private(set) var directory: Directory
    private var recent: RecentDialogs
    private var now: Instant

    init(_ directory: Directory = Directory(), recentDialogs capacity: Int = 65_536, now: Instant) {
        (self.directory, self.now) = (directory, now)
        recent = RecentDialogs(capacity: capacity, now: now)
    }

    /// The calls of a server that is gone, or silent, are placed anew from here on; those of one that drains are not.
    mutating func renew(_ directory: Directory, now: Instant) {
        self.now = now
        guard directory != self.directory else { return }
        for server in self.directory.callServers where !directory.callServers.hears(server.address) {
            recent.forget(server.address, now: now)
        }
        self.directory = directory
    }

    /// Where a request goes that no signed route takes anywhere: after its INVITE, else where every edge would send it.
    func callServer(callID: UInt64) -> SocketAddress? {
        recent.find(callID, now: now) ?? directory.callServers.pick(callID: callID)
    }

    /// A request that may begin a dialog went there.
    mutating func note(callID: UInt64, _ server: SocketAddress) { recent.note(callID, server, now: now) }
}
