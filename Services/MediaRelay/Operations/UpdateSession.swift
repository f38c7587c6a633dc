import Contracts
import Datagrams
import MediaSession
import SDP

extension MediaLoop {
    /// `relay.session.update`: the phone's answer to our offer, its new offer (re-INVITE, hold), or its wish for an offer of ours.
    func update(_ command: UpdateMediaSession) throws(RPCError) -> UpdateMediaSession.Reply {
        let leg = try living(command.sessionID, epoch: command.epoch)
        // On a copy: a refused offer leaves everything as it was (RFC 3261 §14.1).
        var exchange = leg.exchange
        var reply = UpdateMediaSession.Reply(description: nil, held: false)
        switch command.kind {
        case .makeOffer:
            reply.description = exchange.offer().description
            leg.exchange = exchange
        case .answer:
            let answer = try Self.description(command.remote)
            _ = try Self.agreeing { () throws(OfferAnswer.Refusal) in try exchange.accept(answer) }
            try adopt(exchange, answer.origin, on: leg)
        case .offer:
            let offer = try Self.description(command.remote)
            reply.description = try Self.agreeing { () throws(OfferAnswer.Refusal) in try exchange.answer(offer) }.description
            try adopt(exchange, offer.origin, on: leg)
        }
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
            leg.session.apply(plan, now: loop.now)
        }
        (leg.exchange, leg.remoteOrigin) = (exchange, origin)
    }
}
