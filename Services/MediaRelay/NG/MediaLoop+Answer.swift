import Addresses
import Contracts
import MediaSession
import NG
import SDP
import Threads

extension MediaLoop {
    /// `answer`: what both sides agreed on takes effect, and the description for the offerer.
    func answer(_ request: Request) throws(NGRefusal) -> Reply {
        if request.options.isFragment { return try trickle(request) }
        guard let call = attended(request.callID) else { throw NGRefusal("Unknown call-id") }
        let (from, to) = (request.fromTag ?? "", request.toTag ?? "")
        guard let dialogue = call.dialogue(answering: from, to: to, branch: request.viaBranch), let offer = dialogue.pending else {
            throw NGRefusal("nothing was offered that this would answer")
        }
        let description = try Self.parse(request.sdp)
        if isOurs(description, request.options) { return .ok(["sdp": .bytes(request.sdp)]) }
        guard description.media.count == offer.description.media.count else {
            throw NGRefusal("the answer has \(description.media.count) media lines, and the offer \(offer.description.media.count)")
        }
        let remote = try Self.streams(description, request.options)
        let settled = try settle(remote, offer, request.options, dialogue)
        call.lastSignal = WallClock.milliseconds() / 1000
        dialogue.parties[1 - offer.side].name(to, seconds: call.lastSignal)
        if let label = request.options.label ?? request.options.setLabel { dialogue.parties[1 - offer.side].label = label }
        // RFC 3264 §8.2: a stream with port zero is gone, and so are its ports; another may come in its place.
        for index in settled.indices {
            guard let terms = settled[index] else {
                for leg in dialogue.streams[index].legs { close(leg) }
                dialogue.streams[index] = Stream()
                continue
            }
            try adopt(terms.offerer, terms.plans.offerer, offer.description.origin, offer.options, dialogue, index, offer.side)
            try adopt(terms.answerer, terms.plans.answerer, description.origin, request.options, dialogue, index, 1 - offer.side)
        }
        heed(request.options, call)
        takeFragments(of: call)
        let named = Self.named(description, as: offer.description)
        return .ok(["sdp": .bytes(written(named, settled.map { $0?.offerer.local }, request.options))])
    }

    /// Who names its lines finds the names in the answer, though the answerer knows nothing of them (RFC 8829 §5.3.1).
    private static func named(_ answer: SessionDescription, as offer: SessionDescription) -> SessionDescription {
        var named = answer
        for index in named.media.indices where named.media[index].mid == nil {
            guard let mid = offer.media[index].mid else { continue }
            named.media[index].attributes.append(Attribute("mid", mid))
        }
        return named
    }

    /// What a stream comes to on both sides.
    private struct Terms {
        struct Side {
            let local: LocalStream
            let remote: StreamDescription
            let agreement: Agreement
        }

        let offerer: Side
        let answerer: Side
        let plans: (offerer: ForwardingPlan, answerer: ForwardingPlan)
    }

    /// Nothing is changed before all streams have been agreed on.
    private func settle(
        _ remote: [StreamDescription?], _ offer: PendingOffer, _ options: Options, _ dialogue: Dialogue
    ) throws(NGRefusal) -> [Terms?] {
        var settled: [Terms?] = []
        for index in remote.indices {
            guard let answerer = remote[index], let offerer = offer.remote[index], let told = offer.local[index],
                dialogue.streams[index].legs.count == 2
            else {
                settled.append(nil)
                continue
            }
            let legs = dialogue.streams[index].legs
            guard isReachable(answerer, by: legs[1 - offer.side]), isReachable(offerer, by: legs[offer.side]) else {
                throw NGRefusal("media line \(index + 1) names an address of another family than the relay's")
            }
            do throws(Negotiation.Refusal) {
                settled.append(try terms(index, offerer, answerer, told, offer, options, dialogue))
            } catch {
                throw NGRefusal("media line \(index + 1): \(error)")
            }
        }
        return settled
    }

    private func terms(
        _ index: Int, _ offerer: StreamDescription, _ answerer: StreamDescription, _ told: LocalStream, _ offer: PendingOffer,
        _ options: Options, _ dialogue: Dialogue
    ) throws(Negotiation.Refusal) -> Terms {
        let negotiation = Negotiation(security: security)
        let stream = dialogue.streams[index]
        let security = try negotiation.settle(told, answered: answerer)
        let address = shown(stream.legs[offer.side], options)
        let answer = try negotiation.answer(
            offerer, offered: offer.options, options, at: address, answerer: answerer, stream.sides[offer.side])
        guard let formats = Formats(offerer, answerer, offer.options) else { throw .noCommonCodec }
        var local = answer.local
        if let told = formats.told { (local.formats, local.keepsSources) = (told, false) }
        if options.namesOneCodec, answerer.kind == "audio" { local.formats = Formats.single(local.formats ?? answerer.formats) }
        var sides = (
            offerer: negotiation.agreement(offerer, local, answer.security, formats: formats.offerer, other: answerer.direction),
            answerer: negotiation.agreement(answerer, told, security, formats: formats.answerer, other: offerer.direction)
        )
        if let time = offer.options.packetTime { sides.answerer.packetTime = time }
        if let time = offer.options.packetTimeReverse { sides.offerer.packetTime = time }
        guard let plans = Self.plans(sides, formats, isSound: answerer.kind == "audio") else { throw .noCommonCodec }
        return Terms(
            offerer: .init(local: local, remote: offerer, agreement: sides.offerer),
            answerer: .init(local: told, remote: answerer, agreement: sides.answerer), plans: plans)
    }

    private static func plans(
        _ sides: (offerer: Agreement, answerer: Agreement), _ formats: Formats, isSound: Bool
    ) -> (offerer: ForwardingPlan, answerer: ForwardingPlan)? {
        if formats.isTransparent {
            return (
                ForwardingPlan(transparent: sides.offerer, isSound: isSound), ForwardingPlan(transparent: sides.answerer, isSound: isSound)
            )
        }
        guard let offerer = ForwardingPlan(sides.offerer), let answerer = ForwardingPlan(sides.answerer) else { return nil }
        return (offerer, answerer)
    }

    /// Puts what was agreed on into effect for one side. What repeats the last (a session refresh, RFC 4028) does not open the latch.
    private func adopt(
        _ terms: Terms.Side, _ plan: ForwardingPlan, _ origin: Origin, _ options: Options, _ dialogue: Dialogue, _ index: Int, _ side: Int
    ) throws(NGRefusal) {
        let leg = dialogue.streams[index].legs[side]
        let before = dialogue.streams[index].sides[side]
        dialogue.streams[index].sides[side] = StreamSide(
            local: terms.local, agreement: terms.agreement, origin: origin, remote: terms.remote)
        leg.session.believe(anySource: !options.isStrict, isAsymmetric: options.isAsymmetric)
        guard origin != before.origin || terms.agreement != before.agreement || terms.local != before.local else { return }
        do {
            try reopen(leg)
        } catch {
            throw NGRefusal("the port \(leg.port) could not be opened again: \(error)")
        }
        follow(terms, before: before.agreement, weOffered: side != dialogue.pending?.side, on: leg)
        leg.session.apply(plan, now: loop.now)
        Self.teach(leg, dialogue.streams[index].sides[side])
        openSecond(leg)
        tend(leg)
    }

    /// Lets the transports of a leg's ports follow what was agreed on.
    private func follow(_ terms: Terms.Side, before: Agreement?, weOffered: Bool, on leg: Leg) {
        let local = Negotiation(security: security).media(terms.local)
        let rtp = leg.session.transport.take()
        leg.session.transport = security.transport(
            rtp, .rtp, base: leg.place.base(leg.port), second: settings.other(than: leg.place)?.base(leg.port), terms.agreement, local,
            before: before, weOffered: weOffered, now: loop.now)
        let rtcp = leg.session.controlTransport.take()
        leg.session.controlTransport = security.transport(
            rtcp, .rtcp, base: leg.place.base(leg.port + 1), second: nil, terms.agreement, local, before: before, weOffered: weOffered,
            now: loop.now)
    }
}
