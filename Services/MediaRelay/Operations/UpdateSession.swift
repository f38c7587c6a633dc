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
            reply.description = makeOffer(&exchange, command.profile, command.codecs == nil ? nil : codecs.offered, of: leg).description
            leg.exchange = exchange
        case .answer:
            let answer = try Self.description(command.remote)
            exchange = command.profile.flatMap { leg.proposals[$0] } ?? exchange
            _ = try Self.agreeing { () throws(OfferAnswer.Refusal) in try exchange.accept(answer) }
            try adopt(exchange, answer.origin, weOffered: true, on: leg)
        case .offer:
            let offer = try Self.description(command.remote)
            reply.description = try Self.agreeing { () throws(OfferAnswer.Refusal) in
                let order = try security.prepare(&exchange, answering: offer, leg.session.transport?.agent, codecs: codecs)
                return try exchange.answer(offer, preferring: order)
            }.description
            try adopt(exchange, offer.origin, weOffered: false, on: leg)
        }
        leg.codecs = codecs
        reply.held = exchange.agreement.map { $0.direction != .sendReceive } ?? false
        save(leg)
        return reply
    }

    /// Before there is an agreement every profile has an offer of its own, and the answer says to which: phones and browsers of one
    /// extension ring together (RFC 3261 §16.7). After that the session has one, which is left as it was when the offer is refused.
    private func makeOffer(
        _ exchange: inout OfferAnswer, _ profile: MediaProfile?, _ codecs: [Codec]?, of leg: Leg
    ) -> SessionDescription {
        var local = profile.map { security.local(exchange.local, offering: $0) } ?? security.localAgain(exchange)
        local.codecs = codecs ?? local.codecs
        guard exchange.agreement == nil, let profile else { return exchange.propose(local) }
        exchange = OfferAnswer(sessionID: UInt64(clamping: WallClock.milliseconds()), local: local)
        let description = exchange.offer()
        leg.proposals[profile] = exchange
        return description
    }

    /// Puts an agreement into effect. One that repeats the last (a session refresh, RFC 4028) does not open the latch.
    private func adopt(_ exchange: OfferAnswer, _ origin: Origin, weOffered: Bool, on leg: Leg) throws(RPCError) {
        let isRepetition = origin == leg.remoteOrigin && exchange.agreement == leg.exchange.agreement
        if !isRepetition {
            let plan = try plan(exchange.agreement)
            do {
                try reopen(leg)
            } catch {
                throw RPCError(.failed, "the session's port could not be opened again: \(error)")
            }
            follow(exchange, before: leg.exchange.agreement, weOffered: weOffered, of: &leg.session, port: leg.port)
            leg.session.apply(plan, now: loop.now)
            leg.hasToldFailure = false
            tend(leg)
        }
        (leg.exchange, leg.remoteOrigin, leg.proposals) = (exchange, origin, [:])
    }
}
