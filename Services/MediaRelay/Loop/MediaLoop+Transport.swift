import Contracts
import Deadlines
import MediaSession
import SDP

// What the transports of legs want: their datagrams sent, their events heard, to be woken in time.
extension MediaLoop {
    /// Lets the transports of a session's ports follow what was agreed on.
    func follow(_ exchange: OfferAnswer, before: Agreement?, weOffered: Bool, of session: inout Session, at place: Place, port: UInt16) {
        let rtp = session.transport.take()
        let isOnOnePort = exchange.agreement?.multiplexesRTCP ?? false
        let second = isOnOnePort ? settings.other(than: place)?.base(port) : nil
        session.transport = security.transport(
            rtp, base: place.base(port), second: second, exchange, before: before, weOffered: weOffered, now: loop.now)
        let rtcp = session.controlTransport.take()
        session.controlTransport = security.transport(
            rtcp, .rtcp, base: place.base(port + 1), exchange, before: before, weOffered: weOffered, now: loop.now)
    }

    /// After anything that may have moved a transport.
    func tend(_ leg: Leg) {
        if leg.session.controlTransport?.hasOutgoing == true { tendControl(leg) }
        guard leg.session.transport?.hasOutgoing == true else { return schedule(leg) }
        for datagram in leg.session.transport?.takeOutgoing() ?? [] {
            if let tap = leg.tap { tap.datagram(datagram.bytes.span, .left, .sealed, peer: datagram.to, port: leg.port, now: loop.now) }
            if leg.socket(to: datagram.to)?.send(datagram.bytes.span, to: datagram.to) != .sent { traffic.notSent += 1 }
        }
        for event in leg.session.transport?.takeEvents() ?? [] {
            leg.session.follow(event)
            events.transport(leg.id, event)
            if case .failed(let failure) = event { tell(failure, of: leg) }
        }
        schedule(leg)
    }

    /// Without RTCP a call goes on: what becomes of its port is told to nobody.
    private func tendControl(_ leg: Leg) {
        for datagram in leg.session.controlTransport?.takeOutgoing() ?? []
        where leg.rtcp.send(datagram.bytes.span, to: datagram.to) != .sent {
            traffic.notSent += 1
        }
        _ = leg.session.controlTransport?.takeEvents()
    }

    /// V5: a call without path or keys has no sound and ends; its owner is told once for each agreement.
    private func tell(_ failure: TransportFailure, of leg: Leg) {
        guard !leg.hasToldFailure else { return }
        leg.hasToldFailure = true
        events.failed(MediaFailed(callID: leg.callID, sessionID: leg.id, reason: failure.rawValue), leg.owner)
    }

    func schedule(_ leg: Leg) {
        var deadline = leg.session.transcodingDeadline
        if let own = leg.session.digitDeadline { deadline = min(own, deadline ?? own) }
        if let own = leg.session.transportDeadline { deadline = min(own, deadline ?? own) }
        guard let deadline, deadline < leg.wakeAt else { return }
        leg.wakeAt = deadline
        loop.schedule(at: deadline, waking(leg))
    }

    /// Made once for each leg: with a transcoder it is wanted at every other packet.
    private func waking(_ leg: Leg) -> () -> Void {
        if let waking = leg.waking { return waking }
        let name = leg.insideSSRC
        let waking = { [unowned self] in wake(name) }
        leg.waking = waking
        return waking
    }

    private func wake(_ name: UInt32) {
        guard let leg = legs[name], leg.wakeAt <= loop.now else { return }
        leg.wakeAt = .distantFuture
        if leg.session.transport != nil || leg.session.controlTransport != nil {
            leg.session.transport?.expire(now: loop.now)
            leg.session.controlTransport?.expire(now: loop.now)
            keepTransport(leg)
        }
        if leg.session.hasDeadlines { goOn(leg) }
        tend(leg)
    }
}
