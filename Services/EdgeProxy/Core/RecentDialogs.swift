import Addresses
import Deadlines

/// Where the INVITEs of the last half minute went, by Call-ID, so that what belongs to them follows to the same call server when
/// the set of servers changed in between: CANCEL, ACK of a failure, and the INVITE itself repeated (RFC 3261 §16.10, §16.11).
///
/// Soft state of one loop, and fixed in size: a row that was taken over by another call is found by rendezvous as before, and
/// nothing is allocated after the beginning.
struct RecentDialogs: Sendable {
    private struct Row {
        /// Zero: empty.
        var callID: UInt64 = 0
        var server: UInt16 = 0
        /// In seconds since `origin`.
        var until: UInt32 = 0
    }

    /// Servers are few and addresses are long: rows name them by their place here.
    private struct Server {
        /// Nil: it died, and with it all rows that name it.
        var address: SocketAddress?
        /// From this second on no row names it any more, and its number may be another's.
        var isFreeAt: UInt32 = 0
    }

    /// Rows that one Call-ID may stand in: the oldest of them gives way.
    private static let ways = 4

    private var rows: [Row]
    private let mask: Int
    private let lifetime: UInt32
    private let origin: Instant
    private var servers: [Server] = []

    /// `capacity` is rounded up to a power of two; `lifetime` is 64*T1 when not said otherwise (§17.1.1.2, timer B).
    init(capacity: Int = 65_536, lifetime: Interval = .seconds(32), now: Instant) {
        var size = Self.ways
        while size < capacity { size *= 2 }
        rows = Array(repeating: Row(), count: size)
        mask = size - 1
        // Whole seconds: one more, so that no row ends before its time.
        (self.lifetime, origin) = (UInt32(clamping: Int64(lifetime.seconds.rounded(.up)) + 1), now)
    }

    /// Where the call's INVITE went; nil when it was not seen here, or too long ago, or that server is dead.
    func find(_ callID: UInt64, now: Instant) -> SocketAddress? {
        let (key, second, base) = (Self.key(callID), seconds(now), base(of: callID))
        for index in base..<base + Self.ways where rows[index].callID == key && rows[index].until > second {
            return servers[Int(rows[index].server)].address
        }
        return nil
    }

    /// An INVITE went there; a repeated one makes its row last longer.
    mutating func note(_ callID: UInt64, _ server: SocketAddress, now: Instant) {
        guard let number = number(of: server, now: now) else { return }
        let (key, base) = (Self.key(callID), base(of: callID))
        var chosen = base
        for index in base..<base + Self.ways {
            if rows[index].callID == key {
                chosen = index
                break
            }
            if rows[index].until < rows[chosen].until { chosen = index }
        }
        rows[chosen] = Row(callID: key, server: number, until: seconds(now) &+ lifetime)
    }

    /// The server died: its calls are placed anew. Its rows are not looked for, but name nobody from now on.
    mutating func forget(_ server: SocketAddress, now: Instant) {
        guard let number = servers.firstIndex(where: { $0.address == server }) else { return }
        servers[number] = Server(address: nil, isFreeAt: seconds(now) &+ lifetime)
    }

    /// Zero means an empty row.
    private static func key(_ callID: UInt64) -> UInt64 { callID == 0 ? 1 : callID }
    private func base(of callID: UInt64) -> Int { Int(truncatingIfNeeded: callID) & mask & ~(Self.ways - 1) }
    private func seconds(_ now: Instant) -> UInt32 { UInt32(clamping: Int64((now - origin).seconds)) }

    /// Nil when more servers died within a row's life than there are numbers: then the row is not written.
    private mutating func number(of server: SocketAddress, now: Instant) -> UInt16? {
        if let known = servers.firstIndex(where: { $0.address == server }) { return UInt16(known) }
        let second = seconds(now)
        if let free = servers.firstIndex(where: { $0.address == nil && $0.isFreeAt <= second }) {
            servers[free] = Server(address: server)
            return UInt16(free)
        }
        guard servers.count < Int(UInt16.max) else { return nil }
        servers.append(Server(address: server))
        return UInt16(servers.count - 1)
    }
}
