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
            let place = command.family.flatMap { settings.place(isIPv4: $0 == .ipv4) } ?? leg.place
            if place != leg.place, exchange.agreement == nil {
                try Self.opening { () throws(SocketError) in try move(leg, to: place) }
                exchange.local.address.address = place.media
            }
            reply.description = makeOffer(&exchange, command.profile, command.codecs == nil ? nil : codecs.offered, of: leg).description
            leg.exchange = exchange
        case .answer:
            let answer = try Self.description(command.remote)
            // Overtaken by the final answer.
            if command.isProvisional == true, leg.proposals.isEmpty { break }
            exchange = command.profile.flatMap { leg.proposals[$0] } ?? exchange
            // Taken already by a worker that died before it could say so.
            if !exchange.isOfferPending, exchange.agreement != nil, answer.origin == leg.remoteOrigin { break }
            _ = try Self.agreeing { () throws(OfferAnswer.Refusal) in try exchange.accept(answer) }
            try adopt(exchange, answer.origin, weOffered: true, at: leg.place, isProvisional: command.isProvisional == true, on: leg)
        case .offer:
            let offer = try Self.description(command.remote)
            let place = leg.session.hasChecks ? leg.place : settings.place(of: offer)
            exchange.local.address.address = place.media
            reply.description = try Self.agreeing { () throws(OfferAnswer.Refusal) in
                let order = try security.prepare(&exchange, answering: offer, leg.session.transport?.agent, codecs: codecs)
                return try exchange.answer(offer, preferring: order)
            }.description
            try adopt(exchange, offer.origin, weOffered: false, at: place, isProvisional: command.isProvisional == true, on: leg)
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
    /// A provisional one leaves our offers open for the next answer.
    private func adopt(
        _ exchange: OfferAnswer, _ origin: Origin, weOffered: Bool, at place: Place, isProvisional: Bool, on leg: Leg
    ) throws(RPCError) {
        let isRepetition = origin == leg.remoteOrigin && exchange.agreement == leg.exchange.agreement
        if !isRepetition {
            let plan = try plan(exchange.agreement, at: place)
            try Self.opening { () throws(SocketError) in try place == leg.place ? reopen(leg) : move(leg, to: place) }
            follow(exchange, before: leg.exchange.agreement, weOffered: weOffered, of: &leg.session, at: place, port: leg.port)
            leg.session.apply(plan, now: loop.now)
            leg.hasToldFailure = false
            openSecond(leg)
            takeTrickled(of: exchange, on: leg)
            tend(leg)
        }
        (leg.exchange, leg.remoteOrigin) = (exchange, origin)
        if !isProvisional { (leg.proposals, leg.fragments) = ([:], []) }
    }

    private static func opening(_ body: () throws(SocketError) -> Void) throws(RPCError) {
        do throws(SocketError) {
            try body()
        } catch {
            throw RPCError(.failed, "the session's port could not be opened again: \(error)")
        }
    }
}
