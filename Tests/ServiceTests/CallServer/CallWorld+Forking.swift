import Contracts
import Deadlines
import SIP

@testable import CallServer

/// The phones of numbers that have several: what each was asked, and what it has said.
struct Forking {
    struct Phone {
        enum State {
            case ringing
            /// Its 200 has had no ACK yet.
            case answered
            case talking
            case over
        }

        var state = State.ringing
        /// Of its INVITE.
        var name: TransactionName?
        /// In which it was asked last: only there anybody waits for what it says.
        var life: Int
        /// How often it was asked for something else (422, 488).
        var round = 0
        /// The last RSeq of each of its early dialogs.
        var sequences: [Int: UInt32] = [:]
        /// Its final response, which it says again when it is asked again.
        var code: Int?
        var word: LegEvent?
        /// Which of its early dialogs it has answered in.
        var fork = 0

        var mayBeAskedAnew: Bool { state == .over && (code == 422 || code == 488) }
    }

    /// By leg and branch.
    var phones: [String: [Int: Phone]] = [:]
    /// Whose 200 was acknowledged, by leg.
    var winners: [String: Int] = [:]
    /// Processes that have had the calls.
    var life = 0
    /// LEG/BRANCH/ROUND/TAG/SEQUENCE.
    var pracks: Set<String> = []
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    subscript(leg: String, branch: Int) -> Phone? {
        get { phones[leg]?[branch] }
        set { phones[leg, default: [:]][branch] = newValue }
    }

    /// How many a number has: 1005 none, any other one to three.
    func count(of number: String) -> Int {
        guard number != "1005" else { return 0 }
        var sum = seed
        for byte in number.utf8 { sum = sum &+ UInt64(byte) }
        return 1 + Int(sum % 3)
    }

    /// Whoever talks on that leg hangs up.
    mutating func hangUp(_ leg: String) {
        if let branch = winners[leg] { self[leg, branch]?.state = .over }
    }

    // MARK: Dialogs

    private static let dialogs: [Dialog?] = (0..<64).map { makeDialog("t\($0)") }

    /// Of a fork of a branch: two of each INVITE.
    static func dialog(_ branch: Int, _ round: Int, _ fork: Int) -> Dialog? {
        let index = branch * 4 + round % 2 * 2 + fork % 2
        return dialogs.indices.contains(index) ? dialogs[index] : nil
    }

    private static func makeDialog(_ tag: String) -> Dialog? {
        let address = NameAddress(URI(user: "1001", host: "demo.localhost"))
        var from = address
        from.tag = "ours"
        let request = RequestBuilder(.invite, uri: URI(user: "a", host: "127.0.0.1"), from: from, to: address, callID: "c", cseq: 1)
        let lines = [
            "SIP/2.0 200 OK", "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa", "From: <sip:1001@demo.localhost>;tag=ours",
            "To: <sip:1001@demo.localhost>;tag=\(tag)", "Call-ID: c", "CSeq: 1 INVITE", "Contact: <sip:a@127.0.0.1:5080>", "Content-Length: 0", "", "",
        ]
        // A message that cannot be read makes no dialog.
        guard let response = try? Message.parse(Array(lines.joined(separator: "\r\n").utf8)) else { return nil }
        return Dialog(callerOf: request, response: response)
    }
}

/// Several phones ring for one leg. What they say is on its way for a while: their 200s cross CANCELs, and each other.
extension CallWorld {
    // MARK: What phones say

    /// A final response.
    mutating func say(_ word: LegEvent, code: Int, fork: Int = 0, _ id: String, _ branch: Int) {
        guard var phone = forking?[id, branch], phone.state == .ringing else { return }
        ringing.remove("\(id)/\(branch)")
        phone.state = code < 300 ? .answered : .over
        (phone.code, phone.word, phone.fork) = (code, word, fork)
        forking?[id, branch] = phone
        if phone.life == forking?.life { pending.append((id, word)) }
    }

    /// A provisional response in one of its early dialogs; with `step` 1 the next of those that want a PRACK, with 0 the last once more, with 2 one
    /// before it is lost.
    mutating func sayProgress(_ id: String, _ branch: Int, fork: Int, step: UInt32?) {
        guard var phone = forking?[id, branch], phone.state == .ringing, phone.life == forking?.life else { return }
        var sequence: UInt32?
        if let step {
            let next = (phone.sequences[fork] ?? 100) + step
            sequence = next
            phone.sequences[fork] = next
            forking?[id, branch] = phone
        }
        let progress = Progress(
            code: 183, dialog: Forking.dialog(branch, phone.round, fork), responseSequence: sequence, description: "early \(branch) \(phone.round) \(fork)")
        pending.append((id, .progressed(branch: branch, progress)))
    }

    mutating func sayRinging(_ id: String, _ branch: Int) {
        guard let phone = forking?[id, branch], phone.state == .ringing, phone.life == forking?.life else { return }
        pending.append((id, .rang(branch: branch)))
    }

    // MARK: As CallEngine does

    /// What it notes of a final response before the leg hears of it; of a leg that is gone an answer is hung up on.
    mutating func noteResponse(_ event: LegEvent, _ id: String) {
        switch event {
        case .accepted(let branch, _):
            guard let phone = forking?[id, branch], phone.life == forking?.life else { return }
            guard let leg = legs[id] else {
                forking?[id, branch]?.state = .over
                return
            }
            guard leg.dial?.winner == nil, !leg.isEnded else { return }
            let dialog = Forking.dialog(branch, phone.round, phone.fork)
            amend(id) { $0.sip.dialog = dialog }
        case .refused(let branch, _), .refusedAsShort(let branch, _), .targetMoved(let branch, _, _):
            amend(id) { leg in
                if leg.dial?.targets.indices.contains(branch) == true { leg.dial?.targets[branch].isOver = true }
            }
        default: break
        }
    }

    mutating func prepareAtPhones(_ effect: LegEffect, _ id: String) {
        switch effect {
        case .invite(let branch, _) where mortality == nil:
            amend(id) { $0.sip.branches[branch] = .init(callID: "c\(id)\(branch)", localTag: "t", name: nil) }
        case .inviteLonger(let branch, _):
            let name = mortality == nil ? nil : newName()
            amend(id) { leg in
                leg.sip.branches[branch]?.name = name
                leg.sip.early?.removeAll { $0.branch == branch }
                if leg.dial?.targets.indices.contains(branch) == true { leg.dial?.targets[branch].isOver = nil }
            }
        case .prack(let branch, let tag, _) where mortality != nil:
            let name = newName()
            amend(id) { leg in
                guard let index = leg.sip.early?.firstIndex(where: { $0.branch == branch && $0.dialog.remoteTag == tag }) else { return }
                leg.sip.early?[index].prack = .init(name: name, sequence: 2)
            }
        default: break
        }
    }

    /// False when it is nothing of theirs, or not only.
    mutating func performAtPhones(_ effect: LegEffect, _ id: String) -> Bool {
        switch effect {
        case .invite(let branch, _): invite(id, branch)
        case .inviteLonger(let branch, _): inviteAnew(id, branch)
        case .inviteAgain(let branch, _): inviteAgain(id, branch)
        case .cancel(let branch): cancel(id, branch)
        case .acknowledge(let branch): acknowledge(id, branch)
        case .dismiss(let branch): dismiss(id, branch)
        case .prack(let branch, let tag, let sequence):
            let prack = "\(id)/\(branch)/\(forking?[id, branch]?.round ?? 0)/\(tag)/\(sequence)"
            if forking?.pracks.insert(prack).inserted == false { broken.append("\(prack): acknowledged twice") }
        case .offerMedia(let profile, _):
            // Some relays can, and some cannot.
            let sum = id.utf8.reduce(0) { $0 &+ Int($1) }
            let fails = sum % 3 == 0
            pending.append((id, fails ? .mediaOfferFailed(RPCError(.unavailable)) : .mediaOffered("\(profile) for \(id)", profile)))
        case .bye, .byeAgain:
            if let winner = legs[id]?.dial?.winner { forking?[id, winner]?.state = .over }
            return false
        case .forget:
            let phones = forking?.phones[id] ?? [:]
            for (branch, phone) in phones where phone.state == .ringing { broken.append("\(id)/\(branch): rings after the end") }
            return false
        default: return false
        }
        return true
    }

    // MARK: What phones are asked

    private mutating func ask(_ id: String, _ branch: Int, round: Int) {
        guard let life = forking?.life else { return }
        forking?[id, branch] = Forking.Phone(name: legs[id]?.sip.branches[branch]?.name, life: life, round: round)
        ringing.insert("\(id)/\(branch)")
    }

    private mutating func invite(_ id: String, _ branch: Int) {
        sent[id, default: []].append("INVITE")
        if forking?[id, branch] != nil { broken.append("\(id)/\(branch): invited twice") }
        // RFC 3261 §16.7 step 5.
        if forking?.phones[id]?.values.contains(where: { ($0.code ?? 0) >= 600 }) == true { broken.append("\(id)/\(branch): invited after a decline") }
        ask(id, branch, round: 0)
    }

    private mutating func inviteAnew(_ id: String, _ branch: Int) {
        guard let phone = forking?[id, branch], phone.mayBeAskedAnew else { return broken.append("\(id)/\(branch): asked anew for nothing") }
        ask(id, branch, round: phone.round + 1)
    }

    /// A phone that has it says again what it said last; who was hung up on says nothing, which is soon taken for 408.
    private mutating func inviteAgain(_ id: String, _ branch: Int) {
        guard let phone = forking?[id, branch] else { return ask(id, branch, round: 0) }
        if phone.life == forking?.life { broken.append("\(id)/\(branch): asked again in one life") }
        if phone.name != legs[id]?.sip.branches[branch]?.name { return inviteAnew(id, branch) }
        if let life = forking?.life { forking?[id, branch]?.life = life }
        switch phone.state {
        case .ringing: break
        case .talking: broken.append("\(id)/\(branch): asked again while it talks")
        case .over where phone.code == 200: pending.append((id, .refused(branch: branch, code: 408)))
        case .answered, .over: if let word = phone.word { pending.append((id, word)) }
        }
    }

    /// One that has answered has nothing left to be cancelled.
    private mutating func cancel(_ id: String, _ branch: Int) {
        sent[id, default: []].append("CANCEL")
        guard let phone = forking?[id, branch], phone.life == forking?.life else { return }
        say(.refused(branch: branch, code: 487), code: 487, id, branch)
    }

    private mutating func acknowledge(_ id: String, _ branch: Int) {
        guard let phone = forking?[id, branch] else { return broken.append("\(id)/\(branch): acknowledged before it was invited") }
        switch phone.state {
        case .ringing: broken.append("\(id)/\(branch): acknowledged before its answer")
        case .answered:
            if let winner = forking?.winners[id], winner != branch { broken.append("\(id): both \(winner) and \(branch) have won") }
            forking?.winners[id] = branch
            forking?[id, branch]?.state = .talking
            talking.insert(id)
        case .talking, .over: break
        }
    }

    private mutating func dismiss(_ id: String, _ branch: Int) {
        guard let phone = forking?[id, branch], phone.life == forking?.life else {
            return broken.append("\(id)/\(branch): hung up on by who has not invited it")
        }
        switch phone.state {
        case .ringing: broken.append("\(id)/\(branch): hung up on before its answer")
        case .talking: broken.append("\(id)/\(branch): has won, and is hung up on as if it had not")
        case .answered: forking?[id, branch]?.state = .over
        case .over: break
        }
    }

    // MARK: After a death

    /// Phones repeat their 200s (RFC 3261 §13.3.1.4): the one that has won is acknowledged, as `CallEngine.receiveStray` does; whoever nobody waits for any
    /// more gives up.
    mutating func phonesGoOn() {
        guard let all = forking?.phones else { return }
        for id in all.keys.sorted() {
            for (branch, phone) in all[id] ?? [:] where phone.state == .ringing || phone.state == .answered {
                if isLost(id, branch, phone) {
                    forking?[id, branch]?.state = .over
                    ringing.remove("\(id)/\(branch)")
                } else if phone.state == .answered, let leg = legs[id], leg.phase == .up, leg.dial?.winner == branch {
                    acknowledge(id, branch)
                }
            }
        }
    }

    /// Whether a successor may leave that phone to itself: the call was over with everybody told, or it was answered too long ago.
    private func isLost(_ id: String, _ branch: Int, _ phone: Forking.Phone) -> Bool {
        guard let leg = mortality?.written[id], !leg.isEnded || leg.deadlines[.farewell] != nil else { return phone.state == .answered }
        guard leg.phase == .up, leg.dial?.winner != branch, let since = leg.record.answeredAt else { return false }
        return moment.time.milliseconds - since.milliseconds > 10_000
    }

    /// Phones that nobody has told how it ended. Where a process dies one may answer whose call is over: without an ACK it ends that by itself
    /// (RFC 3261 §13.3.1.4).
    var phonesLeft: [String] {
        (forking?.phones ?? [:]).flatMap { id, phones in
            phones.filter { $0.value.state != .over && (mortality == nil || $0.value.state != .answered) }.map { "\(id)/\($0.key): left \($0.value.state)" }
        }.sorted()
    }
}
