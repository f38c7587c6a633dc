import Contracts
import Deadlines
import Flow

/// `connect`: the calls a call makes, and what becomes of them.
extension Leg {
    mutating func connect(_ option: Connect, at moment: Moment, into effects: inout [LegEffect]) {
        let numbers = option.destinations.compactMap { Self.dialledNumber($0, sip.domain) }
        guard !numbers.isEmpty else {
            finish(.failed("no_reachable_destination"), at: moment, into: &effects)
            return
        }
        let source = option.source.flatMap { Self.dialledNumber($0, sip.domain) } ?? record.from
        let hidden = option.anonymous == .yes
        for (index, number) in numbers.enumerated() {
            // Named after the step, so that performing it twice makes the same children.
            let id = childID(step: performing?.step ?? 0, index: index)
            children.append(id)
            effects.append(.createChild(
                id: id, number: number, callerNumber: hidden ? "anonymous" : source,
                callerName: hidden ? "Anonymous" : option.source?.name ?? ""))
        }
        if phase == .up { startRingback(into: &effects) }
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
        guard isInbound, phase == .preparing else { return }
        phase = .ringing
        record.status = .ringing
        record.ringingAt = moment.time
        effects.append(.respond(code: 180, body: nil))
        publish("call.ringing", into: &effects)
    }

    mutating func childAnswered(_ child: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard bridgedChild == nil, children.contains(child), let current = performing else {
            effects.append(.tellChild(child, .parentEnded))
            return
        }
        bridgedChild = child
        for other in children where other != child && current.results[other] == nil {
            effects.append(.tellChild(other, .parentEnded))
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
        if dialledEnded(child, status, outcome, at: moment, into: &effects) { return }
        guard let current = performing, case .connect(let option) = current.action.kind else { return }
        performing?.results[child] = status
        if bridgedChild == child {
            bridgedChild = nil
            finish(.connected, at: moment, into: &effects)
        } else if children.isEmpty {
            // A party that came and went before this call was answered leaves nothing better to tell than that it is gone.
            let status = status.code >= 300 ? status : Status(code: 480, cause: status.cause)
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
                finish(result, at: moment, into: &effects)
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
            guard let number = parts.first, parts.count == 1 || parts[1] == domain else { return nil }
            let dialled = DialledNumber(address.target)
            return DialledNumber(user: String(number), isGRUU: dialled.isGRUU, gr: dialled.gr).text
        default:
            return nil
        }
    }
}
