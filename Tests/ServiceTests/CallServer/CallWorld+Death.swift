import Addresses
import Contracts
import Deadlines
import SIP

@testable import CallServer

/// What outlives the process that has the calls, and when that dies.
struct Mortality {
    /// The snapshots in Redis.
    var written: [String: Leg] = [:]
    /// Legs whose snapshot was there and is not any more.
    var over: Set<String> = []
    /// Snapshots on their way to Redis, which takes them in order.
    fileprivate var writes: [(id: String, leg: Leg?, isAwaited: Bool)] = []
    /// What each leg still has to do, in order.
    fileprivate var batches: [String: [Batch]] = [:]
    /// Legs that are written some time.
    fileprivate var unsaved: Set<String> = []
    /// Legs that are looked for before they are made.
    fileprivate var looking: [(order: ChildOrder, parent: String)] = []
    /// Legs that were taken over.
    fileprivate var adopted: Set<String> = []
    /// Effects performed and snapshots written until it dies; nil: it lives on.
    var stepsLeft: Int?
    var steps = 0
    /// What was done before the end, in words.
    var lastStep = ""
    var isDead = false
    /// Whether Redis is faster than everything else, or slower.
    var writesFirst = true
    var layer = TransactionLayer(sentBy: SocketAddress(IPAddress.loopbackIPv4, port: 5_060), seed: 1)

    fileprivate struct Batch {
        var revision: UInt64
        var effects: [LegEffect]
        var isSafe: Bool
    }

    /// Another process, which has nothing but what is written.
    fileprivate mutating func begin() {
        (isDead, stepsLeft) = (false, nil)
        (writes, batches, unsaved, adopted, looking) = ([], [:], [], [], [])
    }

    /// One more thing is done; false when nothing is any more.
    fileprivate mutating func step(_ what: () -> String) -> Bool {
        if let left = stepsLeft {
            guard left > 0 else {
                isDead = true
                return false
            }
            stepsLeft = left - 1
        }
        steps += 1
        if stepsLeft != nil { lastStep = what() }
        return !isDead
    }
}

/// Effects wait for snapshots as in `CallEngine`, and between any two of them the process may die; then another one goes on.
extension CallWorld {
    /// From here on the process may die.
    mutating func makeMortal(writesFirst: Bool) {
        var mortality = Mortality()
        mortality.writesFirst = writesFirst
        // What was sent before has its names, too.
        for id in legs.keys.sorted() {
            for branch in legs[id]?.sip.branches.keys.sorted() ?? [] { legs[id]?.sip.branches[branch]?.name = mortality.layer.newName() }
        }
        mortality.written = legs
        self.mortality = mortality
    }

    var isDead: Bool { mortality?.isDead == true }

    /// One thing that may happen next happens.
    mutating func happenNext(_ random: inout SeededNumbers) {
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2: if !write() { deliverOne(&random) }
        case 3: if !find() { deliverOne(&random) }
        case 4: if !writeRest() { deliverOne(&random) }
        default: deliverOne(&random)
        }
    }

    // MARK: As CallEngine does

    mutating func commit(_ effects: [LegEffect], of id: String) {
        for effect in effects { prepare(effect, id) }
        guard let leg = legs[id] else { return }
        let border = effects.firstIndex { $0.isVisibleOutside } ?? effects.endIndex
        add(Mortality.Batch(revision: leg.revision, effects: Array(effects[..<border]), isSafe: true), id)
        if border < effects.endIndex {
            add(Mortality.Batch(revision: leg.revision, effects: Array(effects[border...]), isSafe: false), id)
            save(leg, isAwaited: true)
        } else if effects.contains(where: \.isReliedOn) {
            save(leg)
        } else {
            mortality?.unsaved.insert(id)
        }
        performWhatIsSafe(id)
    }

    private mutating func add(_ batch: Mortality.Batch, _ id: String) { mortality?.batches[id, default: []].append(batch) }

    private mutating func save(_ leg: Leg, isAwaited: Bool = false) {
        mortality?.unsaved.remove(leg.record.id)
        mortality?.writes.append((leg.record.id, leg, isAwaited))
    }

    private mutating func performWhatIsSafe(_ id: String) {
        while let batch = mortality?.batches[id]?.first, batch.isSafe {
            mortality?.batches[id]?.removeFirst()
            perform(batch.effects, of: id)
        }
    }

    /// False when another step would come after the end.
    mutating func mayPerform(_ what: @autoclosure () -> String) -> Bool { mortality?.step(what) ?? true }

    /// A snapshot arrives, or is removed; false when nothing is on its way.
    mutating func write() -> Bool {
        guard mortality?.writes.isEmpty == false else { return false }
        guard mayPerform("a snapshot"), let write = mortality?.writes.removeFirst() else { return true }
        guard let leg = write.leg else {
            mortality?.written[write.id] = nil
            mortality?.over.insert(write.id)
            return true
        }
        let (id, isAwaited) = (write.id, write.isAwaited)
        mortality?.written[id] = leg
        guard isAwaited, let place = mortality?.batches[id]?.firstIndex(where: { $0.revision == leg.revision && !$0.isSafe }) else { return true }
        mortality?.batches[id]?[place].isSafe = true
        performWhatIsSafe(id)
        return true
    }

    /// What was to be written some time is; false when there was nothing.
    mutating func writeRest() -> Bool {
        guard let unsaved = mortality?.unsaved, !unsaved.isEmpty else { return false }
        for id in unsaved.sorted() { if let leg = legs[id] { save(leg) } }
        mortality?.unsaved = []
        return true
    }

    /// As `CallEngine.prepare`.
    private mutating func prepare(_ effect: LegEffect, _ id: String) {
        if forking != nil { prepareAtPhones(effect, id) }
        switch effect {
        case .invite(let branch, _):
            let name = newName()
            amend(id) { $0.sip.branches[branch] = .init(callID: "c\(id)\(branch)", localTag: "t", name: name) }
        case .bye:
            let name = newName()
            amend(id) { $0.sip.bye = .init(name: name, sequence: 2) }
        case .notify(let code, let referral), .notifyLast(let code, let referral):
            let name = newName()
            amend(id) { $0.sip.notice = .init(sent: .init(name: name, sequence: 1), code: code, referral: referral) }
        case .updateMedia(let kind, let remote, let profile):
            amend(id) { $0.media.asked = Leg.Asked(kind: kind, remote: remote, profile: profile) }
        default: break
        }
    }

    mutating func newName() -> TransactionName {
        guard var layer = mortality?.layer else { preconditionFailure("only who may die names what is sent") }
        defer { mortality?.layer = layer }
        return layer.newName()
    }

    mutating func forgotten(_ id: String) {
        mortality?.unsaved.remove(id)
        mortality?.writes.append((id, nil, false))
    }

    // MARK: Who comes after

    /// Another process takes the call over from what is written; phones say again what had no answer.
    mutating func succeed(_ root: String, wanted: String? = nil) {
        guard let written = mortality?.written else { return }
        // Seats of legs of which nothing is written are freed by their mixer (`SeatReaper`).
        for id in legs.keys where written[id] == nil { for room in rooms.keys { rooms[room]?.remove(id) } }
        (legs, pending) = ([:], [])
        log?.closeAll()
        forking?.life += 1
        resetPerforming()
        mortality?.begin()
        adopt(root, wanted ?? root)
        // The others are found by the sweep.
        for id in written.keys.sorted() where legs[id] == nil {
            if let leg = mortality?.written[id] { adopt(leg.record.parentCallID ?? id, id) }
        }
        phonesGoOn()
        for id in legs.keys.sorted() { bringTogetherAgain(id) }
        for request in unanswered { repeatRequest(request) }
    }

    /// As `CallEngine.claim`: the first leg, the wanted one, and whom they have called.
    private mutating func adopt(_ root: String, _ wanted: String) {
        var names = [root]
        if wanted != root { names.append(wanted) }
        var claimed: [Leg] = []
        var missing: [String: Leg.Absence] = [:]
        var place = 0
        while place < names.count {
            let id = names[place]
            place += 1
            if legs[id] != nil { continue }
            if let leg = mortality?.written[id] {
                claimed.append(leg)
                names += leg.family.filter { !names.contains($0) }
            } else {
                missing[id] = mortality?.over.contains(id) == true ? .over : .unknown
            }
        }
        goOn(with: claimed, missing)
    }

    /// As `CallEngine.bringTogetherAgain`; the dialog that is named is that leg's.
    private mutating func bringTogetherAgain(_ id: String) {
        guard let leg = legs[id], leg.isBringingTogether, let other = leg.referral?.replaces,
            !legs.values.contains(where: { $0.arrival?.replaces == id || $0.arrived?.replaces == id })
        else { return }
        guard let meet = Leg.encounter(id, and: other, among: { legs[$0] }) else { return handle(id, .referralTold(480)) }
        handle(meet.partner, .arrivalWanted(meet.arrival, roomID: meet.roomID, instance: meet.instance))
    }

    /// As `CallEngine.goOn`.
    mutating func goOn(with claimed: [Leg], _ missing: [String: Leg.Absence]) {
        for leg in claimed {
            var leg = leg
            leg.epoch += 1
            legs[leg.record.id] = leg
            log?.open(leg)
            mortality?.adopted.insert(leg.record.id)
        }
        for leg in claimed {
            let id = leg.record.id
            guard var current = legs[id] else { continue }
            let effects = current.resume(offer: "offer again", at: moment)
            legs[id] = current
            log?.note(.resumed(offer: "offer again", moment, effects), current)
            commit(effects, of: id)
            if let leg = legs[id] { save(leg) }
        }
        for leg in claimed { transferAgain(leg.record.id) }
        for leg in claimed { reunite(leg.record.id, missing) }
    }

    private mutating func transferAgain(_ id: String) {
        guard let leg = legs[id], let parentID = leg.record.parentCallID, let parent = legs[parentID], !parent.isEnded,
            let wanted = leg.transferAgain(of: parent)
        else { return }
        handle(parentID, wanted)
    }

    mutating func reunite(_ id: String, _ missing: [String: Leg.Absence] = [:]) {
        guard let leg = legs[id], mortality?.adopted.contains(id) == true else { return }
        for step in leg.reunion(with: { legs[$0] }, absence: { missing[$0] }) {
            switch step {
            case .tell(let other, let event): handle(other, event)
            case .perform(let effect): commit([effect], of: id)
            }
        }
    }

    /// A leg that a predecessor may have made is looked for first; false when that need not be.
    mutating func looksFor(_ order: ChildOrder, of parent: String) -> Bool {
        guard legs[order.id] == nil, mortality?.adopted.contains(parent) == true else { return false }
        mortality?.looking.append((order, parent))
        return true
    }

    /// What was looked for is found, or made; false when nothing was.
    mutating func find() -> Bool {
        guard mortality?.looking.isEmpty == false, let (order, parent) = mortality?.looking.removeFirst() else { return false }
        if let leg = mortality?.written[order.id] {
            if legs[order.id] == nil { goOn(with: [leg], [:]) }
        } else if mortality?.over.contains(order.id) == true {
            handle(parent, .childEnded(order.id, Leg.Status(code: 480, cause: 31), .failed))
        } else if let maker = legs[parent], !maker.isEnded, maker.children.contains(order.id) {
            make(order, of: maker)
        }
        return true
    }

    // MARK: What phones ask

    /// A request of a phone's: REFER and BYE, which it repeats until they are answered.
    struct PhoneRequest {
        enum Kind { case refer(Leg.Referral), bye }
        var leg: String
        var kind: Kind
    }

    mutating func refer(_ id: String, to number: String, replacing other: String? = nil, sequence: UInt32 = 7) {
        var referral = Leg.Referral(id: sequence, number: number)
        referral.replaces = other
        unanswered.append(PhoneRequest(leg: id, kind: .refer(referral)))
        refer(id, referral)
    }

    /// As `CallEngine.receiveRefer`.
    private mutating func refer(_ id: String, _ referral: Leg.Referral) {
        guard let other = referral.replaces else { return handle(id, .referred(referral)) }
        guard let meet = Leg.encounter(id, and: other, among: { legs[$0] }) else { return handle(id, .referredInVain(referral)) }
        handle(id, .partnersJoined(by: referral))
        handle(meet.partner, .arrivalWanted(meet.arrival, roomID: meet.roomID, instance: meet.instance))
    }

    private mutating func repeatRequest(_ request: PhoneRequest) {
        switch request.kind {
        case .refer(let referral):
            // As `CallEngine.receiveAgain`.
            guard legs[request.leg]?.isEnded == false else { return answered(request.leg, "REFER 481") }
            if legs[request.leg]?.referral?.id == referral.id { return answered(request.leg, "REFER 202") }
            refer(request.leg, referral)
        case .bye:
            unanswered.removeAll { $0.leg == request.leg && $0.isBye }
            handle(request.leg, .byed)
        }
    }

    /// The phone has an answer.
    mutating func answered(_ id: String, _ word: String) {
        unanswered.removeAll { $0.leg == id && !$0.isBye && word.hasPrefix("REFER") }
        sent[id, default: []].append(word)
    }
}

extension CallWorld.PhoneRequest {
    var isBye: Bool { if case .bye = kind { true } else { false } }
}
