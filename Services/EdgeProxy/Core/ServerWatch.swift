import Addresses
import Deadlines

/// Which servers of a fixed list are alive: each is asked with OPTIONS (RFC 3261 §11) and has to answer, whatever it says.
struct ServerWatch: Sendable {
    private struct Entry {
        let address: SocketAddress
        var asked: Instant
        var heard: Instant
    }

    private let interval: Interval
    private var entries: [Entry]

    /// All count as alive until they have had their time to answer.
    init(_ servers: [SocketAddress], every interval: Interval, now: Instant) {
        self.interval = interval
        let longAgo = now + interval * -1
        entries = servers.map { Entry(address: $0, asked: longAgo, heard: now) }
    }

    /// How often `due` is to be asked: one lost datagram is no death, since the next question follows in a quarter.
    var step: Interval { Interval(nanoseconds: max(1, interval.nanoseconds / 4)) }

    /// The servers to ask now.
    mutating func due(now: Instant) -> [SocketAddress] {
        var due: [SocketAddress] = []
        for index in entries.indices
        where now - entries[index].asked >= interval || now - entries[index].heard > interval {
            entries[index].asked = now
            due.append(entries[index].address)
        }
        return due
    }

    /// An answer came; false when it is from nobody on the list.
    mutating func heard(_ source: SocketAddress, now: Instant) -> Bool {
        guard let index = entries.firstIndex(where: { $0.address == source }) else { return false }
        entries[index].heard = now
        return true
    }

    /// A silent server gets no new dialogs, but keeps its own, and all of them when the others are silent too: as if it drained.
    func directory(now: Instant) -> Directory {
        let servers = Directory.Servers(entries.map {
            Directory.Server(
                instance: $0.address.description, address: $0.address,
                isDraining: (now - $0.heard).nanoseconds > interval.nanoseconds / 2 * 3)
        })
        return Directory(registrars: servers, callServers: servers)
    }
}
