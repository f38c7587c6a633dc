import Addresses
import Contracts
import Datagrams
import Deadlines
import MediaSession
import SDP
import Threads

extension MediaLoop {
    /// `relay.session.create`: ports, an answer to the phone's offer or an offer of ours, and a name for the room to send to.
    func create(_ command: CreateMediaSession) throws(RPCError) -> CreateMediaSession.Reply {
        if let leg = try existing(command.sessionID, epoch: command.epoch) { return try repeated(command, leg) }
        if tombstones[command.sessionID] != nil { throw RPCError(.conflict, "the session \(command.sessionID) has ended") }
        let offer = try command.offer.map { text throws(RPCError) in try Self.description(text) }
        let before = try command.continuing.map { text throws(RPCError) in try Self.description(text) }
        let place = (offer ?? before).map { settings.place(of: $0) } ?? settings.primary

        guard !occupancy.isClosed else { throw RPCError(.exhausted, "this relay is leaving: it takes no more sessions") }
        guard occupancy.add() else { throw RPCError(.exhausted, "this relay carries its \(occupancy.limit) sessions") }
        do throws(RPCError) {
            let (port, sockets) = try openPorts(at: place)
            do throws(RPCError) {
                return try begin(command, offer, continuing: before, at: place, port, sockets)
            } catch {
                ports.giveBack(port, isUnknown: true, now: loop.now)
                throw error
            }
        } catch {
            occupancy.remove()
            throw error
        }
    }

    private func begin(
        _ command: CreateMediaSession, _ offer: SessionDescription?, continuing: SessionDescription?, at place: Place, _ port: UInt16,
        _ sockets: (rtp: OutsideSocket, rtcp: OutsideSocket)
    ) throws(RPCError) -> CreateMediaSession.Reply {
        let now = loop.now
        let codecs = try codecs(named: command.codecs) ?? settings.preferences.codecs
        let local = LocalMedia(
            address: SocketAddress(place.media, port: port), codecs: codecs.offered, packetTime: settings.preferences.packetTime)
        var exchange = OfferAnswer(sessionID: UInt64(clamping: WallClock.milliseconds()), local: local)
        var session = Session(
            random: (.random(in: .min ... .max), .random(in: .min ... .max)), now: now, settings: settings.preferences.session)
        let description: SessionDescription
        if let offer {
            description = try Self.agreeing { () throws(OfferAnswer.Refusal) in
                let order = try security.prepare(&exchange, answering: offer, nil, codecs: codecs)
                return try exchange.answer(offer, preferring: order)
            }
            let plan = try plan(exchange.agreement, at: place)
            follow(exchange, before: nil, weOffered: false, of: &session, at: place, port: port)
            session.apply(plan, now: now)
        } else {
            if let continuing { try security.goOn(&exchange, with: continuing) }
            description = exchange.offer()
        }
        let name = String(UInt64.random(in: .min ... .max), radix: 36)
        let watch = SilenceWatch(limit: settings.timeout)
        // The table wants to make the leg itself, so the session is moved in through an optional.
        var made: Session? = consume session
        let leg = legs.insert { ssrc in
            Leg(
                command, insideSSRC: ssrc, port: port, sockets: sockets, exchange: exchange,
                place: place, session: made.take() ?? Session(random: (0, 0), now: now), canonicalName: name, silence: watch, now: now)
        }
        guard let leg else { throw RPCError(.exhausted, "this media thread is full") }
        let reply = CreateMediaSession.Reply(
            description: description.description, inside: InsideEndpoint(address: insideAddress.description, ssrc: leg.insideSSRC))
        leg.creation = (command.offer, reply)
        if offer == nil { leg.proposals[.plain] = exchange }
        leg.remoteOrigin = offer?.origin
        leg.codecs = codecs
        leg.session.blocksDigits = command.digits == .block
        leg.nextReportAt = now + reportPause(isFirst: true)
        names[leg.id] = leg.insideSSRC
        openSecond(leg)
        // One that takes a seat is kept with it: until then nobody knows of it who would not ask again.
        if command.seating == nil { keep(leg, withSockets: true) }
        self.watch(leg)
        tend(leg)
        events.began(record(leg))
        return reply
    }

    /// The same command again, of the same owner or of one that took over, is answered as before.
    private func repeated(_ command: CreateMediaSession, _ leg: Leg) throws(RPCError) -> CreateMediaSession.Reply {
        guard let creation = leg.creation, creation.offer == command.offer else {
            throw RPCError(.conflict, "the session \(leg.id) exists with another offer")
        }
        leg.owner = command.owner
        keep(leg)
        return creation.reply
    }

    /// The next pair of ports that nobody uses. Another process may have a port of our range: then the next is tried.
    func openPorts(at place: Place) throws(RPCError) -> (UInt16, (rtp: OutsideSocket, rtcp: OutsideSocket)) {
        var obstacle = "all ports of TANDEM_RTP_PORTS are in use"
        for _ in 0..<min(ports.count, 256) {
            guard let port = ports.take(now: loop.now) else { break }
            do throws(SocketError) {
                let rtp = try OutsideSocket(bind: place.base(port), dscp: settings.preferences.dscp)
                return (port, (rtp, try OutsideSocket(bind: place.base(port + 1), dscp: settings.preferences.dscp)))
            } catch {
                ports.giveBack(port, now: loop.now)
                obstacle = "\(error)"
            }
        }
        throw RPCError(.exhausted, obstacle)
    }
}
