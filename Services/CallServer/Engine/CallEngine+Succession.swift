import Bus
import Bytes
import Contracts
import Deadlines
import SIP
import ServiceKit

/// What became of the wish to own a call.
enum Adoption: Sendable, Equatable {
    case adopted
    case owned(by: String)
    /// It has ended a short while ago.
    case over
    /// There never was one, or there is nothing of it any more.
    case unknown
}

/// Calls of an instance that is gone live on with another one (RELIABILITY §4.2, §4.4). A caller and those it is connected with
/// belong together: whoever takes the lease of the first leg takes the others.
extension CallEngine {
    private static let look = Interval.milliseconds(100)
    /// Calls that are others' to take by the hash are taken all the same when nobody has by then.
    private static let othersTime = Interval.seconds(1)
    /// Calls whose leases are asked for together.
    private static let atOnce = 32
    private static let sweepPause = Interval.seconds(5)

    // MARK: Who is gone

    func watchServers() {
        let living = Set(runtime.fleet.living(.callServer).map(\.instance))
        if living.contains(runtime.instance) {
            for instance in company.instances.subtracting(living) { Task { await self.takeOver(from: instance) } }
            if living != company.instances { company = Company(living, since: loop.now) }
            if living.count > 1 { lastCompany = loop.now }
        }
        loop.schedule(at: loop.now + Self.look) { self.assumeIsolated { $0.watchServers() } }
    }

    /// What a former life of this instance has left, and from then on what nobody owns.
    nonisolated func sweep() async {
        while !Task.isCancelled {
            await takeOver(from: runtime.instance)
            try? await Task.sleep(for: .nanoseconds(Self.sweepPause.nanoseconds))
        }
    }

    /// Whether an instance is no more: nobody hears of it, or its queue has vanished with its process.
    func isGone(_ instance: String) async -> Bool {
        let fleet = runtime.fleet
        guard instance != runtime.instance, fleet.isAlive(.callServer, instance: runtime.instance) else { return false }
        guard fleet.isAlive(.callServer, instance: instance) else { return true }
        do throws(RPCError) {
            _ = try await bus.call(IsThere(), to: .instance(instance), context: CallContext(deadline: .milliseconds(300)))
            return false
        } catch {
            return Bus.isUnserved(error) || !fleet.isAlive(.callServer, instance: instance)
        }
    }

    /// Takes the calls of an instance that is gone, those that are up first: each living instance those that hash to it, and a moment
    /// later whatever is left. Safe to repeat: of many that try one gets a call.
    func takeOver(from former: String) async {
        await takeOver(from: former, all: false)
        guard former != runtime.instance else { return }
        try? await Task.sleep(for: .nanoseconds(Self.othersTime.nanoseconds))
        await takeOver(from: former, all: true)
    }

    private func takeOver(from former: String, all: Bool) async {
        // One that has come back has new calls under its name.
        guard former == runtime.instance || !runtime.fleet.isAlive(.callServer, instance: former) else { return }
        var left: [(root: String, leg: Leg, owner: String?)] = []
        for orphan in await journal.orphans(from: former) where legs[orphan.leg.record.id] == nil {
            left.append((orphan.leg.record.parentCallID ?? orphan.leg.record.id, orphan.leg, orphan.owner))
        }
        guard !left.isEmpty else { return }
        let servers = runtime.fleet.living(.callServer)
        let working = servers.filter { !$0.draining }.map(\.instance)
        // Who is leaving takes nothing that others can have.
        guard working.isEmpty || working.contains(runtime.instance) || former == runtime.instance else { return }
        let living = working.isEmpty ? servers.map(\.instance) : working
        let names = living.map { StableHash.hash($0.utf8) }
        let begin = loop.now
        var taken = 0
        await withTaskGroup(of: Bool.self) { group in
            var asked = 0
            for orphan in left.sorted(by: { ($0.leg.phase == .up ? 0 : 1, $0.root) < ($1.leg.phase == .up ? 0 : 1, $1.root) }) {
                let (root, id) = (orphan.root, orphan.leg.record.id)
                guard legs[id] == nil else { continue }
                let pick = Rendezvous.pick(key: StableHash.hash(root.utf8), among: names).map { living[$0] }
                guard all || orphan.owner == runtime.instance || pick == nil || pick == runtime.instance else { continue }
                if asked >= Self.atOnce, await group.next() == true { taken += 1 }
                asked += 1
                group.addTask { await self.adopt(root, id, from: orphan.owner ?? former) == .adopted }
            }
            for await isTaken in group where isTaken { taken += 1 }
        }
        guard taken > 0 else { return }
        logger.notice("took over \(taken) legs of \(former) in \(Int((loop.now - begin).milliseconds)) ms")
    }

    // MARK: Taking a call

    /// Makes this instance the owner of a call's legs, when they belonged to nobody, to a former life of it, or to `former`.
    func adopt(_ root: String, _ wanted: String, from former: String?) async -> Adoption {
        if legs[wanted] != nil { return .adopted }
        if let running = adopting[root] {
            _ = await running.value
            if legs[wanted] != nil { return .adopted }
        }
        let task = Task { await self.claim(root, wanted, from: former) }
        adopting[root] = task
        let outcome = await task.value
        if adopting[root] == task { adopting[root] = nil }
        return outcome
    }

    /// All legs are there before the first of them does anything.
    func goOn(with claimed: [Leg], _ missing: [String: Adoption], from former: String) {
        let claimed = claimed.filter { legs[$0.record.id] == nil }
        guard !claimed.isEmpty else { return }
        for leg in claimed { install(leg, from: former) }
        Counters.adopted.add(UInt64(claimed.count))
        Counters.live.set(legs.count)
        for leg in claimed {
            let id = leg.record.id
            logger.notice("goes on with a call", metadata: ["call": "\(id)", "phase": "\(leg.phase.rawValue)", "epoch": "\(leg.epoch)", "former": "\(former)"])
            let offer = legs[id]?.invite.flatMap { layer.request(of: $0) }.flatMap { sessionDescription(of: $0) }
            let moment = moment()
            let effects = legs[id]?.leg.resume(offer: offer, at: moment) ?? []
            // The record says who owns a call: commands of the API go there. Events that are told again say it, too; before them it would say that they
            // have been told.
            commit(id, (leg.untold == nil ? [.keepRecord(leg.record, sequence: leg.sequence)] : []) + effects)
            if let leg = legs[id]?.leg { save(leg) }
        }
        // Before anybody finds that the new party of a transfer is nobody's.
        for leg in claimed { transferAgain(leg.record.id) }
        for leg in claimed { reunite(leg.record.id, missing) }
        for leg in claimed { bringTogetherAgain(leg.record.id) }
    }

    private func transferAgain(_ id: String) {
        guard let leg = legs[id]?.leg, let parentID = leg.record.parentCallID, let parent = legs[parentID]?.leg, !parent.isEnded,
            let wanted = leg.transferAgain(of: parent)
        else { return }
        handle(parentID, wanted)
    }

    private func install(_ leg: Leg, from former: String) {
        let id = leg.record.id
        let entry = Entry(leg: leg)
        entry.former = former
        for (branch, names) in leg.sip.branches {
            legsByCallID[names.callID] = (id, branch)
            if let target = leg.dial?.targets.indices.contains(branch) == true ? leg.dial?.targets[branch] : nil {
                entry.requests[branch] = inviteRequest(leg, branch: branch, body: leg.media.offer(to: target))
            }
        }
        if let callID = leg.sip.dialog?.callID, legsByCallID[callID] == nil { legsByCallID[callID] = (id, 0) }
        if let received = leg.sip.invite, let transaction = adopt(received) {
            (entry.invite, entry.untried) = (transaction, [Untried(transaction: transaction, before: leg.revision)])
            invites[transaction] = id
        }
        if let received = leg.sip.reinvite, let transaction = adopt(received) {
            (entry.reinvite, entry.keptReinvite) = (transaction, transaction)
            entry.untried.append(Untried(transaction: transaction, before: leg.revision))
            invites[transaction] = id
        }
        legs[id] = entry
    }

    private func adopt(_ received: SIPState.Received) -> ServerTransactionID? {
        guard let bytes = received.bytes, let message = try? Message.parse(bytes) else { return nil }
        return layer.adopt(message, from: received.source, over: message.topmostVia?.transport == "TCP" ? .tcp : nil)
    }

    /// What one leg did and the other did not hear of.
    func reunite(_ id: String, _ missing: [String: Adoption] = [:]) {
        guard let entry = legs[id], entry.former != nil else { return }
        for step in entry.leg.reunion(with: { legs[$0]?.leg }, absence: { missing[$0].map { $0 == .unknown ? .unknown : .over } }) {
            switch step {
            case .tell(let leg, let event): handle(leg, event)
            case .perform(let effect): commit(id, [effect])
            }
        }
    }

    // MARK: Effects of taking over

    /// An INVITE of a predecessor, sent again: a phone that has it repeats its last response, and one that said no long ago says nothing,
    /// which is soon taken for that.
    func inviteAgain(_ id: String, branch: Int, body: String) { invite(id, branch: branch, body: body, patience: .seconds(2)) }

    func byeAgain(_ id: String) {
        guard let leg = legs[id]?.leg, let sent = leg.sip.bye, let dialog = leg.sip.dialog else { return }
        let request = dialog.request(.bye, again: sent.sequence)
        guard let destination = request.destination else { return }
        purposes[layer.request(request, as: sent.name, to: destination, now: loop.now, into: &outbox)] = .goodbye(nil)
        drain()
    }

    func reinviteAgain(_ id: String, session: Int, body: String) {
        guard let leg = legs[id]?.leg, let sent = leg.sip.offering, let dialog = leg.sip.dialog else {
            return handle(id, .moveRefused(session: session, code: 500, wait: .zero))
        }
        legs[id]?.reinviting = dialog.request(.invite, again: sent.sequence)
        reinvite(id, session: session, body: body)
    }

    func ownMedia(_ leg: Leg) {
        let command = OwnMediaSession(sessionID: leg.sessionID, epoch: leg.epoch, owner: runtime.instance)
        askRelay(command, for: leg, "own/\(leg.revision)") { _ in nil } failed: { [relay = leg.placement.relay] error in
            error.code == .notFound ? .sessionLost(relay: relay) : nil
        }
    }

    /// The seat is asked for as one that is there already; an instance that has lost it says so by giving another.
    func ownSeat(_ leg: Leg) {
        guard var participant = participant(of: leg) else { return }
        let seat = leg.seat
        participant.resumes = seat.instance
        if let conference = seat.conferenceID {
            let command = JoinConference(conferenceID: conference, customerID: leg.record.customerID, participant: participant)
            ask(command, for: leg, "own/\(seat.number)", at: seat.instance) { _ in nil } failed: { _ in nil }
            return
        }
        let command = JoinRoom(roomID: seat.roomID, customerID: leg.record.customerID, participant: participant)
        ask(command, for: leg, "own/\(seat.number)", at: seat.instance) { reply in
            if reply.instance == nil || reply.instance == seat.instance, reply.inside == seat.inside { return nil }
            return .seatLost(at: seat.instance, successor: reply.instance ?? seat.instance)
        } failed: { _ in nil }
    }

    // MARK: What is written down for a successor

    /// Records up to those events are in PostgreSQL: nobody need tell of them again.
    func told(_ records: [(id: String, sequence: Int64)]) {
        for (id, sequence) in records { legs[id]?.leg.told(upTo: sequence) }
    }

    /// The phone has our 200.
    func acknowledged(_ transaction: ServerTransactionID) {
        guard let id = invites[transaction], let entry = legs[id] else { return }
        if entry.invite == transaction {
            entry.leg.sip.invite = nil
        } else {
            invites[transaction] = nil
            entry.unacknowledged.remove(transaction)
            // A later one may have come meanwhile: what is kept is that one.
            if entry.keptReinvite == transaction { (entry.keptReinvite, entry.leg.sip.reinvite) = (nil, nil) }
        }
        saveSoon(id)
    }

    /// Its INVITE needs no CANCEL any more.
    func branchIsOver(_ id: String, _ branch: Int) {
        guard legs[id]?.leg.dial?.targets.indices.contains(branch) == true else { return }
        legs[id]?.leg.dial?.targets[branch].isOver = true
        if legs[id]?.leg.dial?.winner != nil { saveSoon(id) }
    }

    /// The snapshot of this revision is safe.
    func tell(whoWaitsFor id: String, _ revision: UInt64) {
        guard let entry = legs[id] else { return }
        let tried = entry.untried.filter { $0.before < revision }
        if !tried.isEmpty {
            entry.untried.removeAll { $0.before < revision }
            for untried in tried { layer.trying(untried.transaction, into: &outbox) }
            drain()
        }
        let written = entry.whenSaved.filter { $0.revision <= revision }
        guard !written.isEmpty else { return }
        entry.whenSaved.removeAll { $0.revision <= revision }
        for waiting in written { waiting.done(true) }
    }

    /// 200, when what the request did is written down.
    func answerWhenSaved(_ id: String, _ transaction: ServerTransactionID, _ request: Message) {
        var builder = ResponseBuilder(request, 200)
        builder.add(.allow, Self.allowed)
        respondWhenSaved(id, transaction, builder)
    }

    /// The same with that response, which has no body.
    func respondWhenSaved(_ id: String, _ transaction: ServerTransactionID, _ builder: ResponseBuilder) {
        guard let entry = legs[id] else { return respond(transaction, builder) }
        if let answer = SIPState.Answer(to: builder.request, code: builder.status, body: nil) { entry.leg.sip.remember(answer) }
        // A revision of its own: a snapshot that is on its way knows nothing of this.
        entry.leg.revision += 1
        entry.whenSaved.append((entry.leg.revision, { isOurs in
            guard isOurs else { return }
            self.assumeIsolated { engine in
                engine.respond(transaction, builder)
                engine.drain()
            }
        }))
        save(entry.leg)
    }

    /// Returns when what a command has made of these legs is written down: who has sent it is told no sooner.
    func stored(_ ids: String...) async throws {
        for id in ids {
            guard let entry = legs[id] else { continue }
            entry.leg.revision += 1
            let revision = entry.leg.revision
            let isOurs = await withCheckedContinuation { continuation in
                entry.whenSaved.append((revision, { continuation.resume(returning: $0) }))
                save(entry.leg)
            }
            guard isOurs else { throw RPCError(.unavailable, "the call's server is being replaced; try again") }
        }
    }
}
