import Contracts
import Datagrams
import MediaSession
import SDP
import Threads

extension MediaLoop {
    /// `relay.session.update`: the phone's answer to our offer, its new offer (re-INVITE, hold), or its wish for an offer of ours.
    func update(_ command: UpdateMediaSession) throws(RPCError) -> UpdateMediaSession.Reply {
        let leg = try living(command.sessionID, epoch: command.epoch)
        // On a copy: a refused offer leaves everything as it was (RFC 3261 §14.1).
        var exchange = leg.exchange
        let codecs = try codecs(named: command.codecs) ?? leg.codecs
        var reply = UpdateMediaSession.Reply(description: nil, held: false)
        switch command.kind {
        case .makeOffer:
            if let profile = command.profile {
                // Nobody has seen the offer before it.
                if exchange.agreement == nil {
                    exchange = OfferAnswer(sessionID: UInt64(clamping: WallClock.milliseconds()), local: exchange.local)
                }
                security.prepare(&exchange, offering: profile)
            } else {
                security.prepareAgain(&exchange)
            }
            if command.codecs != nil { exchange.local.codecs = codecs.offered }
            reply.description = exchange.offer().description
            leg.exchange = exchange
        case .answer:
            let answer = try Self.description(command.remote)
            _ = try Self.agreeing { () throws(OfferAnswer.Refusal) in try exchange.accept(answer) }
            try adopt(exchange, answer.origin, on: leg)
        case .offer:
            let offer = try Self.description(command.remote)
            reply.description = try Self.agreeing { () throws(OfferAnswer.Refusal) in
                let order = try security.prepare(&exchange, answering: offer, leg.session.transport?.agent, codecs: codecs)
                return try exchange.answer(offer, preferring: order)
            }.description
            try adopt(exchange, offer.origin, on: leg)
        }
        leg.codecs = codecs
        reply.held = exchange.agreement.map { $0.direction != .sendReceive } ?? false
        save(leg)
        return reply
    }

    /// Puts an agreement into effect. One that repeats the last (a session refresh, RFC 4028) does not open the latch.
    private func adopt(_ exchange: OfferAnswer, _ origin: Origin, on leg: Leg) throws(RPCError) {
        let isRepetition = origin == leg.remoteOrigin && exchange.agreement == leg.exchange.agreement
        if !isRepetition {
            let plan = try plan(exchange.agreement)
            do {
                try reopen(leg)
            } catch {
                throw RPCError(.failed, "the session's port could not be opened again: \(error)")
            }
            let current = leg.session.transport.take()
            leg.session.transport = security.transport(
                current, base: base(leg.port), exchange, before: leg.exchange.agreement, now: loop.now)
            leg.session.apply(plan, now: loop.now)
            tend(leg)
        }
        (leg.exchange, leg.remoteOrigin) = (exchange, origin)
    }
}
