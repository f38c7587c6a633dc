import Deadlines
import MediaSession

// What the transports of legs want: their datagrams sent, their events heard, to be woken in time.
extension MediaLoop {
    /// After anything that may have moved a transport.
    func tend(_ leg: Leg) {
        guard leg.session.transport?.hasOutgoing == true else { return schedule(leg) }
        for datagram in leg.session.transport?.takeOutgoing() ?? [] {
            if let tap = leg.tap { tap.datagram(datagram.bytes.span, .left, .sealed, peer: datagram.to, port: leg.port, now: loop.now) }
            if leg.rtp?.send(datagram.bytes.span, to: datagram.to) != .sent { traffic.notSent += 1 }
        }
        for event in leg.session.transport?.takeEvents() ?? [] {
            leg.session.follow(event)
            events.transport(leg.id, event)
        }
        schedule(leg)
    }

    func schedule(_ leg: Leg) {
        var deadline = leg.session.transcodingDeadline
        if let own = leg.session.transportDeadline { deadline = min(own, deadline ?? own) }
        guard let deadline, deadline < leg.wakeAt else { return }
        leg.wakeAt = deadline
        let name = leg.insideSSRC
        loop.schedule(at: deadline) { [unowned self] in wake(name) }
    }

    private func wake(_ name: UInt32) {
        guard let leg = legs[name], leg.wakeAt <= loop.now else { return }
        leg.wakeAt = .distantFuture
        leg.session.transport?.expire(now: loop.now)
        if leg.session.isTranscoding { goOn(leg) }
        tend(leg)
    }
}
