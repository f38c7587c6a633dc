import DTLS
import Deadlines

/// Two handshakes and the line between them, in virtual time: 20 ms either way, with whatever a test does to the datagrams.
final class Line {
    enum Side: Int { case active, passive }

    final class Peer {
        var handshake: Handshake
        var outcomes: [Handshake.Outcome] = []
        /// Every datagram it has sent.
        var sent: [[UInt8]] = []

        init(_ handshake: consuming Handshake) { self.handshake = handshake }

        var deadline: Instant? { handshake.deadline }
        var counts: Handshake.Counts { handshake.counts }
        var isEstablished: Bool { handshake.isEstablished }
        var keying: Keying? { outcomes.lazy.compactMap { if case .established(let keying) = $0 { keying } else { nil } }.first }
    }

    struct Transit {
        var datagram: [UInt8]
        let to: Side
        let arrival: Instant
        let number: Int
    }

    let active: Peer
    let passive: Peer
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var underWay: [Transit] = []
    private var sentCount = 0
    /// What becomes of the nth datagram from that side: any number of datagrams, each that much later.
    var fate: (Side, Int, [UInt8]) -> [(datagram: [UInt8], delay: Interval)] = { _, _, datagram in [(datagram, .zero)] }

    init(_ active: consuming Handshake, _ passive: consuming Handshake) {
        (self.active, self.passive) = (Peer(active), Peer(passive))
    }

    func peer(_ side: Side) -> Peer { side == .active ? active : passive }

    func start() {
        for side in [Side.passive, .active] {
            act(side) { peer, outbox in peer.handshake.start(now: now, into: &outbox) }
        }
    }

    func act(_ side: Side, _ body: (Peer, inout Outbox) -> Handshake.Outcome) {
        var outbox = Outbox()
        let peer = peer(side)
        let outcome = body(peer, &outbox)
        if outcome != .none { peer.outcomes.append(outcome) }
        for datagram in outbox.datagrams {
            for (copy, delay) in fate(side, peer.sent.count, datagram) {
                underWay.append(
                    Transit(datagram: copy, to: side == .active ? .passive : .active, arrival: now + .milliseconds(20) + delay, number: sentCount))
                sentCount += 1
            }
            peer.sent.append(datagram)
        }
    }

    /// Gives a datagram to a side as if it came over the line now.
    func inject(_ datagram: [UInt8], to side: Side) {
        act(side) { peer, outbox in peer.handshake.receive(datagram.span, now: now, into: &outbox) }
    }

    /// Lets time pass for so long, or until nothing is to come.
    func run(for interval: Interval = .seconds(60)) {
        let end = now + interval
        while true {
            let arrival = underWay.min { ($0.arrival, $0.number) < ($1.arrival, $1.number) }
            let deadlines = [active.deadline, passive.deadline].compactMap { $0 }
            guard let next = ([arrival?.arrival].compactMap { $0 } + deadlines).min(), next <= end else { break }
            now = max(now, next)
            if let arrival, arrival.arrival <= now {
                underWay.removeAll { $0.number == arrival.number }
                inject(arrival.datagram, to: arrival.to)
                continue
            }
            for side in [Side.active, .passive] where peer(side).deadline.map({ $0 <= now }) == true {
                act(side) { peer, outbox in peer.handshake.expire(now: now, into: &outbox) }
            }
        }
        now = max(now, end)
    }
}
