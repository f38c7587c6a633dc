import Addresses
import Contracts
import Deadlines
import MediaSession
import NG
import SDP
import Threads

/// Why a request over `ng` is answered with an error.
struct NGRefusal: Error {
    let reply: Reply

    init(_ reason: String) { reply = .error(reason) }
    init(_ reply: Reply) { self.reply = reply }
}

extension MediaLoop {
    /// `offer`: ports for both sides, and the description for the answerer.
    func offer(_ request: Request, isDraining: Bool) throws(NGRefusal) -> Reply {
        if request.options.isFragment { return try trickle(request) }
        let description = try Self.parse(request.sdp)
        if isOurs(description, request.options) { return .ok(["sdp": .bytes(request.sdp)]) }
        let remote = try Self.streams(description, request.options)
        let from = request.fromTag ?? ""
        let known = attended(request.callID)
        if known == nil, isDraining { throw NGRefusal(Self.full("this relay is being stopped", request.options)) }
        let call = known ?? Call(id: request.callID, seconds: WallClock.milliseconds() / 1000, now: loop.now)
        call.endsAt = .distantFuture
        let found = call.dialogue(offering: from, to: request.toTag, branch: request.viaBranch)
        let dialogue = found?.dialogue ?? Dialogue(branch: request.viaBranch)
        let side = found?.side ?? 0
        if found == nil {
            guard call.dialogues.count < Call.dialogueLimit else { throw NGRefusal("the call has \(Call.dialogueLimit) dialogues already") }
        }
        do throws(RPCError) {
            try open(remote, for: dialogue, of: call, request.options, offerer: side)
        } catch {
            if found == nil { for leg in dialogue.legs { close(leg) } }
            throw NGRefusal(Self.full(error.detail, request.options))
        }
        if found == nil { call.dialogues.append(dialogue) }
        calls[call.id] = call
        call.lastSignal = WallClock.milliseconds() / 1000
        dialogue.parties[side].name(from, seconds: call.lastSignal)
        if let to = request.toTag { dialogue.parties[1 - side].name(to, seconds: call.lastSignal) }
        if let label = request.options.label ?? request.options.setLabel { dialogue.parties[side].label = label }
        let local = tell(remote, request.options, dialogue, answerer: 1 - side)
        dialogue.pending = PendingOffer(side: side, description: description, options: request.options, remote: remote, local: local)
        listen(dialogue, remote, side, description.origin)
        mark(call, request.options)
        heed(request.options, call)
        takeFragments(of: call)
        return .ok(["sdp": .bytes(written(description, local, request.options))])
    }

    private static func full(_ reason: String, _ options: Options) -> Reply {
        options.understandsLoadLimit ? .loadLimit(reason) : .error(reason)
    }

    static func parse(_ sdp: [UInt8]) throws(NGRefusal) -> SessionDescription {
        do {
            return try SessionDescription.parse(sdp)
        } catch {
            throw NGRefusal("the session description cannot be read: \(error)")
        }
    }

    static func streams(_ description: SessionDescription, _ options: Options) throws(NGRefusal) -> [StreamDescription?] {
        var streams: [StreamDescription?] = []
        for index in description.media.indices {
            do {
                streams.append(try StreamDescription(description, index, options))
            } catch {
                throw NGRefusal("media line \(index + 1) names no address")
            }
        }
        return streams
    }

    /// What the answerer is told of each stream.
    private func tell(_ remote: [StreamDescription?], _ options: Options, _ dialogue: Dialogue, answerer: Int) -> [LocalStream?] {
        let negotiation = Negotiation(security: security)
        return remote.indices.map { index in
            guard let theirs = remote[index], dialogue.streams[index].legs.count == 2 else { return nil }
            let side = options.startsAnew ? StreamSide() : dialogue.streams[index].sides[answerer]
            let address = shown(dialogue.streams[index].legs[answerer], options)
            let local = negotiation.offer(theirs, options, at: address, side)
            dialogue.streams[index].sides[answerer].local = local
            return local
        }
    }

    func shown(_ leg: Leg, _ options: Options) -> SocketAddress { SocketAddress(options.mediaAddress ?? leg.place.media, port: leg.port) }

    /// The answerer may send before it has answered (RFC 3264 §5.1): a first offer without keys is heeded at once.
    private func listen(_ dialogue: Dialogue, _ remote: [StreamDescription?], _ side: Int, _ origin: Origin) {
        let negotiation = Negotiation(security: security)
        for index in remote.indices {
            guard let theirs = remote[index], theirs.profile.isPlain, theirs.ice == nil, dialogue.streams[index].legs.count == 2,
                dialogue.streams[index].sides[side].agreement == nil, isReachable(theirs, by: dialogue.streams[index].legs[side])
            else { continue }
            let leg = dialogue.streams[index].legs[side]
            let local = LocalStream(address: SocketAddress(leg.place.media, port: leg.port), transport: theirs.transport)
            let agreement = negotiation.agreement(theirs, local, .none, formats: Formats.agreed(theirs.formats), other: .sendReceive)
            leg.session.apply(ForwardingPlan(transparent: agreement, isSound: theirs.kind == "audio"), now: loop.now)
        }
    }

    /// Whether our sockets reach addresses of that family.
    func isReachable(_ theirs: StreamDescription, by leg: Leg) -> Bool {
        theirs.ice != nil || theirs.remote.address.isIPv4 == leg.place.isIPv4
    }

    // MARK: Legs

    /// A pair of legs for each stream that is carried, and none for the others.
    private func open(
        _ remote: [StreamDescription?], for dialogue: Dialogue, of call: Call, _ options: Options, offerer: Int
    ) throws(RPCError) {
        while dialogue.streams.count < remote.count { dialogue.streams.append(Stream()) }
        for index in remote.indices {
            guard let theirs = remote[index], dialogue.streams[index].legs.isEmpty else { continue }
            let isIPv4 = theirs.ice == nil ? theirs.remote.address.isIPv4 : settings.primary.isIPv4
            let place = settings.place(isIPv4: isIPv4) ?? settings.primary
            // The answerer is met in the family that is asked for, else in the offerer's.
            let other = settings.place(isIPv4: options.isFamilyIPv4 ?? isIPv4) ?? settings.primary
            let first = try openLeg(of: call, at: place)
            do throws(RPCError) {
                let second = try openLeg(of: call, at: other)
                link(first, second)
                dialogue.streams[index] = Stream(legs: offerer == 0 ? [first, second] : [second, first])
            } catch {
                close(first)
                throw error
            }
        }
        // A stream that this offer takes away, or makes one of faxes, has its ports until the answer: the offer may be refused, and then
        // everything is as before (RFC 3264 §8).
    }

    private func openLeg(of call: Call, at place: Place) throws(RPCError) -> Leg {
        guard occupancy.add() else { throw RPCError(.exhausted, "this relay carries its \(occupancy.limit) sessions") }
        do throws(RPCError) {
            let (port, sockets) = try openPorts(at: place)
            let id = "ng_\(String(UInt64.random(in: .min ... .max), radix: 36))"
            let identity = CreateMediaSession(sessionID: id, customerID: "", callID: call.id, owner: "", epoch: 0, offer: nil)
            let local = LocalMedia(address: SocketAddress(place.media, port: port))
            let now = loop.now
            var made: Session? = Session(
                random: (.random(in: .min ... .max), .random(in: .min ... .max)), now: now, settings: settings.preferences.session)
            let leg = legs.insert { ssrc in
                Leg(
                    identity, insideSSRC: ssrc, port: port, sockets: sockets, exchange: OfferAnswer(sessionID: 0, local: local),
                    place: place, session: made.take() ?? Session(random: (0, 0), now: now),
                    canonicalName: String(UInt64.random(in: .min ... .max), radix: 36), silence: SilenceWatch(limit: settings.timeout), now: now)
            }
            guard let leg else {
                ports.giveBack(port, now: now)
                throw RPCError(.exhausted, "this media thread is full")
            }
            leg.isOfNG = true
            leg.nextReportAt = now + reportPause(isFirst: true)
            names[leg.id] = leg.insideSSRC
            watch(leg)
            return leg
        } catch {
            occupancy.remove()
            throw error
        }
    }
}
