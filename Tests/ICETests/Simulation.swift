import Addresses
import Deadlines
import ICE
import Testing

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}

/// What a network does to datagrams.
struct Conditions {
    var loss = 0.0
    var duplication = 0.0
    var delay = Interval.milliseconds(10)
    /// Up to so much more, for each on its own: they overtake each other.
    var jitter = Interval.zero
}

/// A NAT with a port of its own for every base, or for every base and destination, which lets in only who was written to.
struct NAT {
    var address: IPAddress
    var isSymmetric = false
    private var mappings: [(base: SocketAddress, destination: SocketAddress?, port: UInt16)] = []
    private var permitted: Set<[SocketAddress]> = []

    init(_ address: IPAddress, isSymmetric: Bool = false) { (self.address, self.isSymmetric) = (address, isSymmetric) }

    mutating func leave(_ base: SocketAddress, to destination: SocketAddress) -> SocketAddress {
        let port = port(base, destination)
        let outside = SocketAddress(address, port: port)
        permitted.insert([outside, destination])
        return outside
    }

    mutating func port(_ base: SocketAddress, _ destination: SocketAddress?) -> UInt16 {
        let key = isSymmetric ? destination : nil
        if let known = mappings.first(where: { $0.base == base && $0.destination == key }) { return known.port }
        let port = UInt16(60_000 + mappings.count)
        mappings.append((base, key, port))
        return port
    }

    func enter(_ outside: SocketAddress, from source: SocketAddress) -> SocketAddress? {
        guard permitted.contains([outside, source]) else { return nil }
        return mappings.first { $0.port == outside.port }?.base
    }

    /// As after a power cut: new ports for all.
    mutating func forget() {
        mappings = mappings.map { (SocketAddress(IPAddress(v4: 0), port: 0), $0.destination, $0.port) }
        permitted = []
    }
}

/// Agents, the network between them, and time that only this moves.
final class Simulation {
    struct Packet {
        let bytes: [UInt8]
        let source: SocketAddress
        let destination: SocketAddress
    }

    var now = Instant(nanoseconds: 1_000_000_000)
    var agents: [Agent] = []
    var events: [[Outbox.Event]] = []
    var conditions = Conditions()
    var nats: [NAT] = []
    /// Which NAT an agent is behind.
    var behind: [Int: Int] = [:]
    /// Where nothing arrives.
    var unreachable: Set<SocketAddress> = []
    private(set) var sent = 0
    private var owners: [SocketAddress: Int] = [:]
    private var air = DeadlineQueue<Packet>()
    private var generator: SeededGenerator

    init(seed: UInt64 = 1) { generator = SeededGenerator(seed: seed) }

    /// Nothing was told to anybody.
    var isQuiet: Bool { events.joined().isEmpty }

    func random() -> (UInt64, UInt64) { (generator.next(), generator.next()) }

    func credentials() -> Credentials { Credentials(random: (generator.next(), generator.next(), generator.next())) }

    /// An agent with a host candidate for each address; behind a NAT with the candidate it would have learned there, too.
    func add(
        _ mode: Mode, _ role: Role, at addresses: [SocketAddress], components: UInt16 = 1, configuration: Configuration = Configuration(),
        behind nat: Int? = nil
    ) -> Int {
        let agent = Agent(
            configuration, mode: mode, role: role, components: components, local: credentials(), random: random())
        agents.append(agent)
        events.append([])
        let index = agents.count - 1
        behind[index] = nat
        for (place, address) in addresses.enumerated() { addLocal(index, address, preference: UInt16.max - UInt16(place)) }
        return index
    }

    func addLocal(_ index: Int, _ address: SocketAddress, component: Component = .rtp, preference: UInt16 = .max) {
        owners[address] = index
        agents[index].addLocal(Candidate(address, component: component, preference: preference), now: now)
        guard let nat = behind[index], !nats[nat].isSymmetric else { return }
        let outside = SocketAddress(nats[nat].address, port: nats[nat].port(address, nil))
        agents[index].addLocal(
            Candidate(outside, kind: .serverReflexive, component: component, preference: preference, related: address),
            base: address, now: now)
    }

    /// What offer and answer carry; without candidates when those trickle.
    func exchange(_ first: Int, _ second: Int, candidates: Bool = true) {
        tell(first, of: second, candidates: candidates)
        tell(second, of: first, candidates: candidates)
    }

    func tell(_ index: Int, of other: Int, candidates: Bool = true) {
        var outbox = Outbox()
        let (remote, isLite, theirs) = (agents[other].localCredentials, agents[other].mode == .lite, agents[other].localCandidates)
        agents[index].setRemote(remote, isLite: isLite, now: now, into: &outbox)
        if candidates {
            for candidate in theirs { agents[index].addRemote(candidate, now: now) }
            agents[index].endOfCandidates(now: now, into: &outbox)
        }
        flush(index, outbox)
    }

    /// One candidate that trickles in.
    func hear(_ index: Int, of candidate: Candidate) -> Bool { agents[index].addRemote(candidate, now: now) }

    func command(_ index: Int, _ body: (inout Agent, inout Outbox) -> Void) {
        var outbox = Outbox()
        body(&agents[index], &outbox)
        flush(index, outbox)
    }

    /// Bytes of anybody, straight into an agent; what it answers is given back and sent nowhere.
    @discardableResult
    func inject(_ bytes: [UInt8], into index: Int, from source: SocketAddress, on base: SocketAddress) -> Outbox {
        var outbox = Outbox()
        agents[index].receive(bytes.span, from: source, on: base, now: now, into: &outbox)
        events[index] += outbox.events
        return outbox
    }

    private func flush(_ index: Int, _ outbox: Outbox) {
        events[index] += outbox.events
        for datagram in outbox.datagrams {
            sent += 1
            let source = behind[index].map { nats[$0].leave(datagram.base, to: datagram.to) } ?? datagram.base
            if Double.random(in: 0..<1, using: &generator) < conditions.loss { continue }
            let copies = Double.random(in: 0..<1, using: &generator) < conditions.duplication ? 2 : 1
            for _ in 0..<copies {
                let extra = Int64.random(in: 0...conditions.jitter.nanoseconds, using: &generator)
                air.insert(
                    Packet(bytes: datagram.bytes, source: source, destination: datagram.to),
                    at: now + conditions.delay + Interval(nanoseconds: extra))
            }
        }
    }

    private func arrive(_ packet: Packet) {
        guard !unreachable.contains(packet.destination) else { return }
        var base = packet.destination
        if let nat = nats.firstIndex(where: { $0.address == packet.destination.address }) {
            guard let inside = nats[nat].enter(packet.destination, from: packet.source) else { return }
            base = inside
        } else if let owner = owners[base], behind[owner] != nil {
            return
        }
        guard let index = owners[base] else { return }
        var outbox = Outbox()
        agents[index].receive(packet.bytes.span, from: packet.source, on: base, now: now, into: &outbox)
        flush(index, outbox)
    }

    // MARK: Time

    func run(for interval: Interval) { _ = run(limit: interval) { false } }

    /// Runs until the condition holds; false when time is up before.
    @discardableResult
    func run(limit: Interval = .seconds(60), until isDone: () -> Bool) -> Bool {
        let end = now + limit
        var idle = 0
        while !isDone() {
            let due = [air.nextDeadline(), agents.compactMap(\.deadline).min()].compactMap(\.self).min() ?? .distantFuture
            guard due <= end else {
                now = end
                return isDone()
            }
            idle = due > now ? 0 : idle + 1
            guard idle < 10_000 else {
                Issue.record("a deadline that has come is not acted upon")
                return false
            }
            now = max(now, due)
            while let packet = air.popDue(now: now) { arrive(packet) }
            for index in agents.indices {
                guard let deadline = agents[index].deadline, deadline <= now else { continue }
                var outbox = Outbox()
                agents[index].expire(now: now, into: &outbox)
                flush(index, outbox)
            }
        }
        return true
    }

    func runUntilConnected(limit: Interval = .seconds(60)) -> Bool {
        run(limit: limit) { agents.allSatisfy { $0.isConnected && !$0.isRestarting } }
    }

    /// Whether two agents send to each other: each one's path is the other's, seen from the other side of the NATs.
    func isSymmetric(_ first: Int, _ second: Int, _ component: Component = .rtp) -> Bool {
        guard let there = agents[first].path(component), let back = agents[second].path(component) else { return false }
        func outside(_ index: Int, _ path: Path) -> SocketAddress {
            guard let nat = behind[index] else { return path.base }
            return SocketAddress(nats[nat].address, port: nats[nat].port(path.base, path.remote))
        }
        return there.remote == outside(second, back) && back.remote == outside(first, there)
    }
}

func address(_ text: String) -> SocketAddress {
    guard let address = SocketAddress(text) else { preconditionFailure("\(text) is an address") }
    return address
}
