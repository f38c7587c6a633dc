import Addresses
import Deadlines

/// Which servers of a fixed list are alive: each is asked with OPTIONS (RFC 3261 §11) and has to answer, whatever it says.
struct ServerWatch: Sendable {
    private struct Entry {
        let address: SocketAddress
        var asked: Instant
        var heard: Instant
        /// The network said since then that nobody listens there.
        var isRefused = false
    }

    private let interval: Interval
    private var entries: [Entry]

    /// All count as alive until they have had their time to answer.
    init(_ servers: [SocketAddress], every interval: Interval, now: Instant) {
        self.interval = interval
        let longAgo = now + interval * -1
        entries = servers.map { Entry(address: $0, asked: longAgo, heard: now) }
    }

    /// How often `due` is to be asked.
    var step: Interval { Interval(nanoseconds: max(1, interval.nanoseconds / 4)) }

    /// Three questions without an answer, the last of which had a quarter to come back: one lost datagram is no death.
    private var patience: Interval { interval * 3 + step }

    /// The servers to ask now.
    mutating func due(now: Instant) -> [SocketAddress] {
        var due: [SocketAddress] = []
        for index in entries.indices where now - entries[index].asked >= interval {
            entries[index].asked = now
            due.append(entries[index].address)
        }
        return due
    }

    /// An answer came; false when it is from nobody on the list.
    mutating func heard(_ source: SocketAddress, now: Instant) -> Bool {
        guard let index = entries.firstIndex(where: { $0.address == source }) else { return false }
        (entries[index].heard, entries[index].isRefused) = (now, false)
        return true
    }

    /// What was sent there came back: nobody listens. The next answer is believed again.
    mutating func refused(_ server: SocketAddress) {
        if let index = entries.firstIndex(where: { $0.address == server }) { entries[index].isRefused = true }
    }

    /// A silent server gets no new dialogs, but keeps its own, and all of them when the others are silent too.
    func directory(now: Instant) -> Directory {
        let servers = entries.map {
            Directory.Server(
                instance: $0.address.description, address: $0.address, isSilent: $0.isRefused || now - $0.heard > patience)
        }
        return Directory(registrars: Directory.Servers(servers), callServers: Directory.Servers(servers))
    }
}
