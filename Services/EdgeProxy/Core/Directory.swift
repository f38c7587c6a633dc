import Addresses
import Bytes

/// The servers that are alive, as the fleet's announcements tell (DESIGN §4), and the trunks; renewed by the loop, never waited for.
struct Directory: Sendable, Equatable {
    struct Server: Sendable, Equatable {
        let address: SocketAddress
        /// Hash of the instance name: its identity for placing calls.
        let identity: UInt64
        /// Goes on with what it has, but begins nothing.
        let isDraining: Bool
        /// Probably dead; it stands here only because what it had belongs to nobody else.
        let isSilent: Bool

        init(instance: String, address: SocketAddress, isDraining: Bool = false, isSilent: Bool = false) {
            (self.address, self.isDraining, self.isSilent) = (address, isDraining, isSilent)
            identity = StableHash.hash(instance.utf8)
        }
    }

    /// The servers of one kind, with those that take new dialogs picked out once, so that placing one allocates nothing.
    struct Servers: Sendable, Equatable, RandomAccessCollection, ExpressibleByArrayLiteral {
        private let all: [Server]
        /// Draining ones only when there is no other, silent ones when there is nothing else at all.
        private let candidates: [Server]
        private let identities: [UInt64]

        init(_ all: [Server]) {
            let heard = all.filter { !$0.isSilent }
            let working = heard.filter { !$0.isDraining }
            self.all = all
            candidates = !working.isEmpty ? working : !heard.isEmpty ? heard : all
            identities = candidates.map(\.identity)
        }

        init(arrayLiteral elements: Server...) { self.init(elements) }

        func includes(_ address: SocketAddress) -> Bool {
            for server in all where server.address == address { return true }
            return false
        }

        /// Whether it is there and, as far as is known, alive.
        func hears(_ address: SocketAddress) -> Bool {
            for server in all where server.address == address { return !server.isSilent }
            return false
        }

        /// The server that every edge chooses for this Call-ID.
        func pick(callID: UInt64) -> SocketAddress? {
            Rendezvous.pick(key: callID, among: identities).map { candidates[$0].address }
        }

        var alive: Int { all.count { !$0.isSilent } }
        var startIndex: Int { all.startIndex }
        var endIndex: Int { all.endIndex }
        subscript(index: Int) -> Server { all[index] }
    }

    var registrars: Servers = []
    var callServers: Servers = []
    var trunks = Trunks()

    /// The server that every edge chooses for this Call-ID; draining ones only when there is no other.
    static func pick(_ servers: Servers, callID: UInt64) -> SocketAddress? { servers.pick(callID: callID) }
}
