import Deadlines

/// Which new calls a loop lets through to which call server, by how long the first response takes there.
struct OverloadControl: ~Copyable {
    private struct Waiting: Sendable {
        var server: UInt64 = 0
        var sent = Instant(nanoseconds: 0)
    }

    private let limits: ServerLoad.Limits
    private var servers: [ServerLoad]
    private var waiting: StalestTable<Waiting>

    /// `servers` bounds how many are measured at once; `calls` how many may wait for their first response.
    init(_ limits: ServerLoad.Limits, servers: Int = 64, calls: Int = 16_384) {
        self.limits = limits
        self.servers = Array(repeating: ServerLoad(), count: servers)
        waiting = StalestTable(capacity: calls, empty: Waiting())
    }

    /// Whether this INVITE may go to the server. `call` is the keyed hash of its Call-ID: by that its response is known again, a
    /// retransmission goes the way of the first, and each attempt is judged the same way as long as nothing changes.
    mutating func admit(server: UInt64, call: UInt64, now: Instant) -> Bool {
        guard limits.target.nanoseconds > 0 else { return true }
        if waiting.find(call)?.server == server { return true }
        let index = index(of: server, now)
        servers[index].offer(limits, now: now)
        guard Double(call >> 11) / Double(UInt64(1) << 53) >= servers[index].shed else { return false }
        servers[index].send()
        waiting.update(call, now: now) { $0 = Waiting(server: server, sent: now) }
        return true
    }

    /// A response to an INVITE; only the first of each counts.
    mutating func answered(call: UInt64, now: Instant) {
        guard let asked = waiting.find(call) else { return }
        waiting.remove(call)
        for index in servers.indices where servers[index].server == asked.server {
            return servers[index].answer(sentAt: asked.sent, limits, now: now)
        }
    }

    /// The greatest share of new calls that any server is spared now.
    var shed: Double { servers.reduce(0) { max($0, $1.shed) } }

    func shed(of server: UInt64) -> Double { servers.first { $0.server == server }?.shed ?? 0 }

    private mutating func index(of server: UInt64, _ now: Instant) -> Int {
        var free: Int?
        for index in servers.indices {
            if servers[index].server == server { return index }
            if servers[index].server == 0, free == nil { free = index }
        }
        // Servers come and go; when all places are taken, all are measured anew.
        if free == nil { for index in servers.indices { servers[index] = ServerLoad() } }
        let index = free ?? 0
        servers[index] = ServerLoad(server: server, now: now)
        return index
    }
}
