import Bytes
import Contracts
import Deadlines
import Flow
import SIP

/// `connect`: the calls a call makes, and what becomes of them.
extension Leg {
    mutating func connect(_ option: Connect, at moment: Moment, into effects: inout [LegEffect]) {
        let orders = orders(of: option, step: performing?.step ?? 0)
        guard !orders.isEmpty else {
            finish(telling(.failed("no_reachable_destination"), of: option), at: moment, into: &effects)
            return
        }
        children += orders.map(\.id)
        performing?.children = orders.map(\.id)
        effects += orders.map(LegEffect.createChild)
        if phase == .up { startRingback(into: &effects) }
    }

    /// Named after the step, so that performing it twice makes the same children.
    private func orders(of option: Connect, step: Int) -> [ChildOrder] {
        let source = option.source.flatMap { Self.dialledNumber($0, sip.domain) } ?? record.from
        let hidden = option.anonymous == .yes || isPrivate == true
        return option.destinations.compactMap { Self.dialledNumber($0, sip.domain) }.enumerated().map { index, number in
            ChildOrder(
                id: childID(step: step, index: index), number: number, callerNumber: hidden ? "anonymous" : source,
                callerName: hidden ? "Anonymous" : option.source?.name ?? "")
        }
    }

    /// Destinations of kinds that no service here reaches are not passed over in silence.
    private func telling(_ outcome: Outcome, of option: Connect) -> Outcome {
        let passedOver = option.destinations.filter { Self.dialledNumber($0, sip.domain) == nil }
        guard !passedOver.isEmpty else { return outcome }
        return Outcome(outcome.result, code: outcome.code, data: ["unreachable": .array(passedOver.map { .string("\($0.kind.rawValue):\($0.target)") })])
    }

    /// One that should be there and never was: its maker died before anything of it could be seen.
    func childAgain(_ child: String) -> LegEffect? {
        if let order = transferOrder(child) { return .createChild(order) }
        let order: ChildOrder? =
            switch performing?.action.kind {
            case .connect(let option): orders(of: option, step: performing?.step ?? 0).first { $0.id == child }
            case .dial(let option): dialOrder(child, option)
            default: nil
            }
        return order.map(LegEffect.createChild)
    }

    func childID(step: Int, index: Int) -> String {
        // The parent's ULID keeps its time part: children sort beside it, and their media lies on one thread of a relay (`Relay.loop(of:)`).
        // The rest tells them apart.
        let base = record.id.prefix(5 + 10)
        let hash = StableID.text(record.id, salt: "\(step)/\(index)", length: 16)
        return base + hash
    }

    private mutating func startRingback(into effects: inout [LegEffect]) {
        guard let current = performing, current.playID == nil else { return }
        let playID = "\(record.id)/\(current.step)/ringback"
        performing?.playID = playID
        effects.append(.play(playID: playID, [.ringback], loop: true, stopOnDigit: false))
    }

    mutating func childRang(_ child: String, at moment: Moment, into effects: inout [LegEffect]) {
        if transferRang(child, into: &effects) { return }
        guard isInbound, phase == .preparing else { return }
        phase = .ringing
        record.status = .ringing
        record.ringingAt = moment.time
        ring(180, at: moment, into: &effects)
        publish("call.ringing", into: &effects)
    }

    /// A child can be heard before it answers: who waits for it may hear that instead of our tone (RFC 3960).
    mutating func childProgressed(_ child: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard bridgedChild == nil, children.contains(child), performing?.action.kind.passesEarlyMedia == true else { return }
        guard phase == .up else { return progress(at: moment, into: &effects) }
        guard let playID = performing?.playID else { return }
        performing?.playID = nil
        effects.append(.stopPlay(playID: playID))
    }

    mutating func childAnswered(_ child: String, at moment: Moment, into effects: inout [LegEffect]) {
        if transferAnswered(child, at: moment, into: &effects) { return }
        // Told twice, by one that died and by its successor.
        guard bridgedChild != child else { return }
        guard bridgedChild == nil, children.contains(child), let current = performing, current.children?.contains(child) == true else {
            effects.append(.tellChild(child, .parentEnded))
            return
        }
        bridgedChild = child
        letJoinedHear(into: &effects)
        for other in current.children ?? [] where other != child && current.results[other] == nil {
            effects.append(.tellChild(other, .replaced))
        }
        if let playID = current.playID {
            performing?.playID = nil
            effects.append(.stopPlay(playID: playID))
        }
        requestAnswer(at: moment, into: &effects)
    }

    mutating func childEnded(
        _ child: String, _ status: Status, _ outcome: Call.Status, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard let index = children.firstIndex(of: child) else { return }
        children.remove(at: index)
        if transferEnded(child, status, at: moment, into: &effects) { return }
        if dialledEnded(child, status, outcome, at: moment, into: &effects) { return }
        guard let current = performing, current.children?.contains(child) == true, case .connect(let option) = current.action.kind else { return }
        performing?.results[child] = status
        if bridgedChild == child {
            bridgedChild = nil
            left = status
            finish(telling(.connected, of: option), at: moment, into: &effects)
        } else if bridgedChild == nil, hasNoChildLeft {
            // A party that came and went before this call was answered leaves nothing better to tell than that it is gone.
            let status = status.code >= 300 ? status : Status(code: 480, cause: status.cause, by: status.by)
            refusal = status
            let result: Outcome =
                switch outcome {
                case .busy: status.code == 603 ? .declined : .busy
                case .noAnswer: .noAnswer
                case .canceled: .canceled
                default: .failed(String(status.code))
                }
            if option.relayReason, phase != .up {
                refuse(status, at: moment, into: &effects)
            } else {
                finish(telling(result, of: option), at: moment, into: &effects)
            }
        }
    }

    /// The extension an address means; nil for kinds that no service here can reach yet.
    static func dialledNumber(_ address: Address, _ domain: String) -> String? {
        switch address.kind {
        case .extension, .line, .tel:
            return address.target
        case .sip:
            let scheme = ["sip:", "sips:"].first { address.target.hasPrefix($0) } ?? ""
            let parts = address.target.dropFirst(scheme.count).prefix { $0 != ";" }.split(separator: "@", maxSplits: 1)
            // Nobody else's numbers are reached from here; carriers come with the PSTN gateway.
            guard let number = parts.first, parts.count == 1 || DialledTarget.isHost(parts[1], of: domain) else { return nil }
            guard let user = URI("sip:\(number)@\(domain)")?.calledUser else { return nil }
            let dialled = DialledNumber(address.target)
            return DialledNumber(user: user, isGRUU: dialled.isGRUU, gr: dialled.gr).text
        default:
            return nil
        }
    }
}
