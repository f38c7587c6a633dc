import Bus
import Contracts
import Deadlines
import Flow
import SIP

/// Performs effects: each turns into SIP, a command to a service or an event of another leg, and what comes back is an event.
extension CallEngine {
    /// `revision` is the leg's when the effect came about: a command repeated for it is the same command.
    func perform(_ effect: LegEffect, for id: String, _ revision: UInt64) {
        guard let leg = legs[id]?.leg else { return }
        trace(effect, for: leg)
        switch effect {
        case .respond(let code, let body): respondToInvite(id, code: code, body: body)
        case .invite(let branch, let body): invite(id, branch: branch, body: body)
        case .cancel(let branch): cancel(id, branch: branch)
        case .dismiss(let branch): dismiss(id, branch: branch)
        case .acknowledge(let branch): acknowledge(id, branch: branch)
        case .respondToReinvite(let code, let body): respondToReinvite(id, code: code, body: body)
        case .respondToRefer(let code): respondToRefer(id, code)
        case .notify, .notifyLast: notify(id)
        case .notifyAgain: notifyAgain(id)
        case .refer(let target): refer(id, to: target)
        case .referAgain(let target): referAgain(id, to: target)
        case .message: sendMessage(id)
        case .rename: break
        case .recount: recount(id)
        case .respondReliably(let code, let body, let sequence): respondReliably(id, code: code, body: body, sequence: sequence)
        case .inviteLonger(let branch, let body): invite(id, branch: branch, body: body)
        case .prack(let branch, let tag, _): prack(id, branch, tag)
        case .prackAgain(let branch, let tag): prack(id, branch, tag)
        case .refresh(let body): refresh(id, body)
        case .refreshAgain(let body): refreshAgain(id, body)
        case .hearEarly(let remote, let profile):
            askRelay(
                UpdateMediaSession(
                    sessionID: sessionID(of: leg), epoch: leg.epoch, kind: .answer, remote: remote, profile: profile, isProvisional: true),
                for: leg, "early/\(revision)"
            ) { _ in .heardEarly } failed: { _ in nil }
        case .bye: bye(id)
        case .inviteAgain(let branch, let body): inviteAgain(id, branch: branch, body: body)
        case .byeAgain: byeAgain(id)
        case .reinviteAgain(let session, let body): reinviteAgain(id, session: session, body: body)
        case .ownMedia: ownMedia(leg)
        case .ownSeat: ownSeat(leg)
        case .resolve(let number): resolve(leg, number: number)
        case .findBindings(let number): findBindings(leg, number)
        case .createMedia(let offer): createMedia(leg, offer: offer)
        case .offerMedia(let profile, let family):
            askRelay(
                UpdateMediaSession(sessionID: sessionID(of: leg), epoch: leg.epoch, kind: .makeOffer, remote: "", profile: profile, family: family),
                for: leg, "media/\(revision)"
            ) { .mediaOffered($0.description ?? "", profile) } failed: { .mediaOfferFailed($0) }
        case .updateMedia(let kind, let remote, let profile):
            // Another phone of the same call may still be the one that answers.
            let isProvisional = kind == .offer && !leg.isInbound && leg.phase == .ringing
            askRelay(
                UpdateMediaSession(
                    sessionID: sessionID(of: leg), epoch: leg.epoch, kind: kind, remote: remote, profile: profile,
                    isProvisional: isProvisional ? true : nil), for: leg,
                "media/\(revision)"
            ) { .mediaUpdated($0, kind: kind) } failed: { .mediaUpdateFailed($0, kind: kind) }
        case .link(let inside, let seat):
            askRelay(
                LinkMediaSession(sessionID: sessionID(of: leg), epoch: leg.epoch, inside: inside), for: leg, "link/\(revision)"
            ) { _ in .linked(seat: seat) } failed: { .linkFailed(seat: seat, $0) }
        case .deleteMedia: deleteSoon(leg)
        case .createElsewhere(let relay, let session, let continuing): createElsewhere(leg, relay, session, continuing)
        case .deleteElsewhere(let relay, let sessionID): deleteElsewhere(leg, relay, sessionID)
        case .reinvite(let session, let body): reinvite(id, session: session, body: body)
        case .relink(let inside):
            ask(
                LinkMediaSession(sessionID: leg.sessionID, epoch: leg.epoch, inside: inside), for: leg, "relink/\(revision)",
                at: leg.placement.relay
            ) { _ in nil } failed: { [seat = leg.seat.number] in .linkFailed(seat: seat, $0) }
        case .pointSeat(let inside): pointSeat(leg, at: inside, revision)
        case .join(let seat): join(leg, seat, revision)
        case .leave(let roomID, let participantID, let instance):
            let place = LeaveRoom(roomID: roomID, participantID: participantID, epoch: leg.epoch)
            // A leg that lives may come back there at once.
            if leg.isEnded { leaveSoon(place, at: instance) } else { insist(place, at: instance, of: leg.record.customerID, attempt: 1) }
        case .play(let playID, let sources, let loop, let stopOnDigit):
            let command = PlayInRoom(
                roomID: leg.seat.roomID, participantID: leg.seat.participantID, playID: playID, sources: sources, loop: loop,
                stopOnDigit: stopOnDigit)
            // One of the same name may have been heard before.
            ask(command, for: leg, "\(playID)/\(revision)", at: leg.seat.instance) { _ in nil } failed: { _ in .playFinished(playID: playID, .failed) }
        case .stopPlay(let playID):
            bus.tell(
                StopPlay(roomID: leg.seat.roomID, playID: playID), to: .instance(leg.seat.instance),
                context: CallContext(customer: leg.record.customerID))
        case .startRecording(let recording, let terms, let step): startRecording(leg, recording, terms, step)
        case .stopRecordings(let step): stopRecordings(leg, step)
        case .stopRecording(let recording, let step): stopRecording(leg, recording, step)
        case .listen(let watch):
            ask(
                ListenInRoom(roomID: leg.seat.roomID, participantID: leg.seat.participantID, epoch: leg.epoch, watch: watch), for: leg,
                "listen/\(watch.id)/\(revision)", at: leg.seat.instance
            ) { _ in .listening(watchID: watch.id) } failed: { error in
                Counters.lostWatches.add()
                return .listenFailed(watchID: watch.id, error)
            }
        case .stopListening(let watchID):
            bus.tell(
                StopListening(roomID: leg.seat.roomID, participantID: leg.seat.participantID, watchID: watchID),
                to: .instance(leg.seat.instance), context: CallContext(customer: leg.record.customerID))
        case .pressKey(let digit, let duration):
            press(
                PressInMediaSession(
                    sessionID: sessionID(of: leg), epoch: leg.epoch, pressID: "\(leg.epoch)/\(revision)", digits: digit, duration: duration),
                for: id)
        case .trickle(let fragment): trickle(leg, fragment, revision)
        case .setParticipant(let muted, let echo):
            set(leg) { change in
                if let muted { change.muted = muted }
                if let echo { change.echo = echo }
            }
        case .hush(let muted, let deaf): set(leg) { ($0.muted, $0.deaf) = (muted, deaf) }
        case .hideKeys(let hides): set(leg) { $0.hidesKeys = hides }
        case .sendDigits(let digits, let duration, let interval, let runID, let step):
            let command = SendDigits(
                roomID: leg.seat.roomID, participantID: leg.seat.participantID, digits: digits, duration: duration, interval: interval)
            // The broker may die with them, or this process: they are asked for until they are sent, and sent once.
            insist(command, at: leg.seat.instance, of: leg.record.customerID, as: "\(id)/digits/\(runID)/\(step)", attempt: 1, isHurried: true)
        case .startStream(let stream): startStream(leg, stream)
        case .stopStream(let stream): stopStream(leg, stream)
        case .startRun: startRun(leg)
        case .advance(let runID, let step, let outcome):
            tell(
                .ended(AdvanceRun(runID: runID, customerID: leg.record.customerID, step: step, outcome: leg.withStatus(outcome))), for: leg,
                "\(runID)/\(step)\(leg.polls)")
        case .leaveRun(let runID, let step):
            ask(
                AdvanceRun(runID: runID, customerID: leg.record.customerID, step: step, outcome: .callEnded), for: leg, "\(runID)/\(step)/left"
            ) { _ in nil } failed: { _ in nil }
        case .copyCause(let call): findCause(of: call, for: leg)
        case .askPeer(let peer, let step): askPeer(leg, peer, step: step)
        case .tellPeer(let peer, let change): tellPeer(leg, peer, change)
        case .watchRun(let runID):
            ask(WatchRun(runID: runID, customerID: leg.record.customerID), for: leg, "watch/\(revision)") { .watched($0) } failed: { _ in .watchFailed }
        case .attach(let master): tell(leg, chained: master, .attached)
        case .releaseChained(let call): tell(leg, chained: call, .ended)
        case .createChild(let order): createChild(order, of: leg)
        case .tellParent(let event):
            guard let parent = leg.record.parentCallID else { break }
            if legs[parent] != nil { handle(parent, event) } else { handle(id, .parentEnded) }
        case .tellChild(let child, let event):
            handle(child, event)
        case .publish(let type, let record, let sequence, let time, let details):
            journal.record(
                record, of: leg, event: type, sequence: sequence, at: time, with: details, written: whenWritten.removeValue(forKey: id))
        case .keepRecord(let record, let sequence):
            journal.record(record, of: leg, event: nil, sequence: sequence, at: runtime.timestamp(), with: [:])
        case .forget:
            remove(id)
        }
    }

    private func sessionID(of leg: Leg) -> String { leg.sessionID }

    /// Sends a command; its answer comes back to the leg as an event, on this loop.
    func ask<C: Command>(
        _ command: C, for leg: Leg, _ purpose: String, at instance: String? = nil, _ answered: @escaping @Sendable (C.Reply) -> LegEvent?,
        failed: @escaping @Sendable (RPCError) -> LegEvent?
    ) {
        let id = leg.record.id
        let context = CallContext(customer: leg.record.customerID, idempotencyKey: "\(id)/\(leg.epoch)/\(purpose)")
        let traced = trace(command, for: leg, at: instance)
        let begin = loop.now
        ask(command, at: instance, context) { [loop] result in
            traced?.ended(result)
            let event = Self.event(result, answered, failed)
            loop.post {
                self.assumeIsolated { engine in
                    engine.note(result, of: begin)
                    if let event { engine.handle(id, event) }
                }
            }
        }
    }

    /// How long whoever is asked of several has to answer. One that stands still is asked all the same until the broker notices, and says nothing: then
    /// another is asked, under the same key.
    private static let patiences: [Interval] = [.milliseconds(700), .seconds(1), .seconds(2)]

    nonisolated func ask<C: Command>(
        _ command: C, at instance: String? = nil, _ context: CallContext, attempt: Int = 0,
        _ completion: @escaping @Sendable (Result<C.Reply, RPCError>) -> Void
    ) {
        if let instance { return bus.call(command, to: .instance(instance), context: context, completion: completion) }
        var limited = context
        limited.deadline = min(context.deadline, Self.patiences[attempt])
        bus.call(command, context: limited) { result in
            guard case .failure(let error) = result, error.code == .timeout, attempt + 1 < Self.patiences.count else { return completion(result) }
            self.ask(command, context, attempt: attempt + 1, completion)
        }
    }

    /// How long an answer took; that nobody is there to answer is said at once and means nothing.
    func note<Reply>(_ result: Result<Reply, RPCError>, of begin: Instant) {
        if case .failure(let error) = result, error.code == .unavailable { return }
        congestion.answered(after: loop.now - begin, at: loop.now)
    }

    /// What a leg is told of an answer; nil: nothing.
    static func event<Reply>(
        _ result: Result<Reply, RPCError>, _ answered: (Reply) -> LegEvent?, _ failed: (RPCError) -> LegEvent?
    ) -> LegEvent? {
        switch result {
        case .success(let reply): answered(reply)
        case .failure(let error): failed(error)
        }
    }

    private func createMedia(_ leg: Leg, offer: String?) {
        var command = CreateMediaSession(
            sessionID: sessionID(of: leg), customerID: leg.record.customerID, callID: leg.record.id, owner: runtime.instance,
            epoch: leg.epoch, offer: offer)
        let (relay, seat) = (leg.placement.relay, leg.seat)
        // A conference is entered by its own rules.
        var traced: TracedCommand?
        if seat.conferenceID == nil, seat.stage == .none {
            let participant = participant(of: leg, inside: InsideEndpoint(address: "", ssrc: 0))
            command.seating = .init(mixer: seat.instance, roomID: seat.roomID, participant: participant)
            traced = trace(JoinRoom(roomID: seat.roomID, customerID: command.customerID, participant: participant), for: leg, at: seat.instance)
        }
        askRelay(command, for: leg, "media/\(relay)") { [traced] reply in
            traced?.seated(by: relay, reply.place)
            return .mediaCreated(reply, seat: seat)
        } failed: { [fleet = runtime.fleet] error in
            // Full, leaving or gone, it has no session of ours.
            guard error.code == .exhausted || error.code == .unavailable, let other = Self.relay(of: fleet, besides: relay)
            else { return .mediaFailed(error) }
            return .mediaRefused(error, offer: offer, other: other)
        }
    }

    func participant(of leg: Leg) -> ParticipantSettings? { leg.media.inside.map { participant(of: leg, inside: $0) } }

    private func participant(of leg: Leg, inside: InsideEndpoint) -> ParticipantSettings {
        var settings = ParticipantSettings(
            participantID: leg.seat.participantID, callID: leg.record.id, owner: runtime.instance, epoch: leg.epoch, inside: inside,
            resumes: leg.seat.resumes, from: leg.leaving?.last { $0.instance == leg.seat.instance }?.roomID,
            relay: leg.placement.relay, session: leg.sessionID)
        settings.supervision = leg.seat.supervises?.supervision
        settings.echo = leg.echoes
        (settings.muted, settings.deaf) = (leg.isHushed, leg.isHeld == true)
        (settings.name, settings.number) = (leg.callerName, leg.dial?.number ?? leg.record.from)
        return settings
    }

    private func join(_ leg: Leg, _ seat: Leg.Seat, _ revision: UInt64) {
        guard let participant = participant(of: leg) else { return }
        if seat.conferenceID != nil {
            joinConference(leg, seat, participant, at: seat.instance, attemptsLeft: 3)
            return
        }
        let (roomID, instance) = (seat.roomID, seat.instance)
        let command = JoinRoom(roomID: roomID, customerID: leg.record.customerID, participant: participant)
        ask(command, for: leg, "join/\(revision)", at: instance) {
            .joined(seat: seat.number, roomID: roomID, instance: $0.instance ?? instance, inside: $0.inside)
        } failed: { .joinFailed(seat: seat.number, $0) }
    }

    /// Asks the instance we know; when another hosts the conference's room, that one.
    private func joinConference(
        _ leg: Leg, _ seat: Leg.Seat, _ participant: ParticipantSettings, at instance: String, attemptsLeft: Int
    ) {
        let command = JoinConference(conferenceID: seat.conferenceID ?? "", customerID: leg.record.customerID, participant: participant)
        let id = leg.record.id
        let context = CallContext(customer: leg.record.customerID)
        let traced = trace(command, for: leg, at: instance)
        bus.call(command, to: .instance(instance), context: context) { [loop] result in
            traced?.ended(result)
            loop.post {
                self.assumeIsolated { engine in
                    switch result {
                    case .success(.joined(let roomID, let host, let inside)):
                        engine.handle(id, .joined(seat: seat.number, roomID: roomID, instance: host, inside: inside))
                    case .success(.elsewhere(let host)):
                        guard attemptsLeft > 1 else {
                            engine.handle(id, .joinFailed(seat: seat.number, RPCError(.unavailable, "the conference moves from instance to instance")))
                            return
                        }
                        engine.joinConference(leg, seat, participant, at: host, attemptsLeft: attemptsLeft - 1)
                    case .failure(let error):
                        engine.handle(id, .joinFailed(seat: seat.number, error))
                    }
                }
            }
        }
    }

    private func startRun(_ leg: Leg) {
        let record = leg.record
        let runID = leg.program?.runID ?? "run_" + record.id.drop { $0 != "_" }.dropFirst()
        var variables = [
            Variables.callStatus: leg.statusWord.rawValue, "voipbin.call.id": record.id, "voipbin.call.direction": record.direction.rawValue,
            "voipbin.call.source.target": record.from, "voipbin.call.destination.target": record.to,
            "call.id": record.id, "call.direction": record.direction.rawValue, "call.from": record.from, "call.to": record.to,
        ]
        if leg.isPrivate == true || record.from == "anonymous" { variables[Variables.callIsAnonymous] = "yes" }
        for (name, value) in leg.arrivedWith ?? [:] { variables["voipbin.call.header.\(name)"] = value }
        var command = StartRun(
            runID: runID, customerID: record.customerID, flowID: leg.program?.flowID, actions: leg.program?.actions,
            referenceID: record.id, variables: variables)
        command.after = leg.program?.after
        tell(.begun(command), for: leg, "run\(leg.program?.number.map { "/\($0)" } ?? "")\(leg.polls)")
    }

    func createChild(_ order: ChildOrder, of parent: Leg) {
        guard legs[order.id] == nil else { return reunite(order.id) }
        // Whom the parent was taken over from may have made it.
        if let former = legs[parent.record.id]?.former {
            Task {
                switch await self.adopt(parent.record.id, order.id, from: former) {
                case .unknown: makeChild(order, of: parent)
                case .adopted: break
                case .over, .owned: handle(parent.record.id, .childEnded(order.id, Leg.Status(code: 480, cause: 31), .failed))
                }
            }
            return
        }
        makeChild(order, of: parent)
    }

    private func makeChild(_ order: ChildOrder, of parent: Leg) {
        let child = order.id
        // Whom it was to be made for may have given it up while it was looked for.
        guard legs[child] == nil, let maker = legs[parent.record.id]?.leg, !maker.isEnded, maker.children.contains(child) else { return }
        // Nobody refuses an INVITE for what Max-Forwards says: it has arrived (RFC 3261 §8.2). What may go no further is a call that it leads to (RFC 7332),
        // so one that only hears its flow is taken.
        guard parent.sip.hops != 0 else {
            return handle(parent.record.id, .childEnded(child, Leg.Status(code: 483, cause: Leg.cause(forCode: 483)), .failed))
        }
        guard legs.count < settings.maximumLegs, let placement = place(beside: parent.placement.relay) else {
            Counters.refused.add()
            handle(parent.record.id, .childEnded(child, Leg.Status(code: 503, cause: 41), .failed))
            return
        }
        var record = Call(
            id: child, customerID: parent.record.customerID, direction: .outbound, status: .queued, from: order.callerNumber, to: DialledNumber(order.number).user,
            createdAt: moment().time)
        record.parentCallID = parent.record.id
        // Both sit in the parent's room, wherever that is.
        var seat = ownSeat(of: child, placement)
        // Who is asked first is not heard there yet.
        if order.screening == nil { seat.roomID = order.place?.roomID ?? parent.ownRoomID }
        seat.instance = order.place?.instance ?? parent.placement.mixer
        var leg = Leg(
            outbound: record, dial: Leg.Dial(number: order.number, callerName: order.callerName), program: nil, epoch: 1,
            placement: Leg.Placement(relay: placement.relay, mixer: parent.placement.mixer), seat: seat,
            sip: SIPState(domain: parent.sip.domain), limits: settings.limits)
        leg.sip.hops = parent.sip.hops.map { $0 - 1 }
        let called = leg.record.to
        // A leg that rings the number its caller dialled is counted with it.
        leg.counted = Leg.Counted(
            isCall: false, destination: called == parent.counted?.destination ? nil : called, isExempt: parent.counted?.isExempt == true)
        leg.headers = parent.headers
        if let referrer = order.referredBy {
            let uri = URI(calling: referrer, at: parent.sip.domain)
            leg.headers = (leg.headers ?? []) + [Leg.Header(name: "Referred-By", value: NameAddress(uri).description)]
        }
        leg.limits.ring = order.ring ?? leg.limits.ring
        leg.screening = order.screening
        start(leg)
    }

    /// Takes a new outbound leg up and sets it going.
    func start(_ leg: Leg) {
        let id = leg.record.id
        legs[id] = Entry(leg: leg)
        Counters.calls.add()
        Counters.live.set(legs.count)
        admit(id)
        let effects = legs[id]?.leg.begin(at: moment()) ?? []
        commit(id, effects)
    }
}
