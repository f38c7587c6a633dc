import Addresses
import Bytes

/// The servers that are alive, as the fleet's announcements tell (DESIGN §4); renewed by the loop, never waited for.
struct Directory: Sendable, Equatable {
    struct Server: Sendable, Equatable {
        let address: SocketAddress
        /// Hash of the instance name: its identity for placing calls.
        let identity: UInt64
        let isDraining: Bool

        init(instance: String, address: SocketAddress, isDraining: Bool) {
            (self.address, self.isDraining) = (address, isDraining)
            identity = StableHash.hash(instance.utf8)
        }
    }

    var registrars: [Server] = []
    var callServers: [Server] = []

    /// The server that every edge chooses for this Call-ID; draining ones only when there is no other.
    static func pick(_ servers: [Server], callID: UInt64) -> SocketAddress? {
        let working = servers.filter { !$0.isDraining }
        let candidates = working.isEmpty ? servers : working
        return Rendezvous.pick(key: callID, among: candidates.map(\.identity)).map { candidates[$0].address }
    }
}
