import Contracts
import Deadlines
import Flow

/// A call that a call makes.
struct ChildOrder: Sendable, Equatable {
    var id: String
    var number: String
    var callerNumber: String
    var callerName: String
    /// How long it rings, when that is not the usual time.
    var ring: Interval?
    var screening: Leg.Screening?
    /// Another room than the caller's own.
    var place: Place?
    /// Who has it called instead (RFC 3892).
    var referredBy: String?

    struct Place: Sendable, Equatable {
        var roomID: String
        var instance: String
    }
}

/// `dial`: rounds of targets, one after the other, until somebody has answered.
extension Leg {
    struct Dialling: Codable, Sendable {
        var round = 0
        /// The numbers of the children, and what became of them.
        var numbers: [String: String] = [:]
        var attempts: [Attempt] = []
        var answered: String?
    }

    struct Attempt: Codable, Sendable {
        var number: String
        var result: String
        var code: Int
        var isUnreachable: Bool?
    }

    mutating func dial(_ option: Flow.Dial, at moment: Moment, into effects: inout [LegEffect]) {
        performing?.dialling = Dialling()
        ringRound(option, at: moment, into: &effects)
    }

    /// Rings the targets whose turn it is; those whom no service here can reach count as attempts, and a round of them alone is over.
    private mutating func ringRound(_ option: Flow.Dial, at moment: Moment, into effects: inout [LegEffect]) {
        guard var dialling = performing?.dialling else { return }
        let rounds = option.rounds
        while dialling.round < rounds.count {
            var orders: [ChildOrder] = []
            for (index, target) in rounds[dialling.round].enumerated() {
                guard let number = Self.dialledNumber(target.address, sip.domain) else {
                    dialling.attempts.append(Attempt(number: target.target, result: Outcome.Result.failed.rawValue, code: 404, isUnreachable: nil))
                    continue
                }
                // Named after step, round and place, so that performing it twice makes the same children.
                let id = childID(step: performing?.step ?? 0, index: dialling.round << 16 | index)
                dialling.numbers[id] = number
                orders.append(order(id, number, target, option))
            }
            if !orders.isEmpty {
                performing?.dialling = dialling
                children += orders.map(\.id)
                let before = performing?.children ?? []
                performing?.children = before + orders.map(\.id)
                effects += orders.map(LegEffect.createChild)
                if phase == .up { startRingback(option, into: &effects) }
                return
            }
            dialling.round += 1
        }
        performing?.dialling = dialling
        nobodyReached(option, Status(code: 404, cause: 1), at: moment, into: &effects)
    }

    private func order(_ id: String, _ number: String, _ target: Flow.Dial.Target, _ option: Flow.Dial) -> ChildOrder {
        let (callerNumber, callerName) =
            switch option.shownCallerID {
            case .caller where isPrivate == true: ("anonymous", "Anonymous")
            case .caller: (record.from, "")
            case .called: (record.to, "")
            case .anonymous: ("anonymous", "Anonymous")
            case .source: (option.source.flatMap { Self.dialledNumber($0, sip.domain) } ?? record.from, option.source?.name ?? "")
            }
        return ChildOrder(
            id: id, number: number, callerNumber: callerNumber, callerName: callerName, ring: .milliseconds(target.timeout ?? option.timeout),
            screening: option.screens ? Screening(option, roomID: ownRoomID, instance: placement.mixer) : nil)
    }

    /// The same for one of those that ring, by its name.
    func dialOrder(_ child: String, _ option: Flow.Dial) -> ChildOrder? {
        guard let current = performing, let dialling = current.dialling, let number = dialling.numbers[child],
            option.rounds.indices.contains(dialling.round)
        else { return nil }
        let targets = option.rounds[dialling.round]
        let index = targets.indices.first { childID(step: current.step, index: dialling.round << 16 | $0) == child }
        return index.map { order(child, number, targets[$0], option) }
    }

    private mutating func startRingback(_ option: Flow.Dial, into effects: inout [LegEffect]) {
        guard let current = performing, current.playID == nil, option.ringbackURL != nil || option.ringback != .none else { return }
        let playID = "\(record.id)/\(current.step)/ringback"
        performing?.playID = playID
        effects.append(.play(playID: playID, option.sources, loop: true, stopOnDigit: false))
    }

    /// True when the child was a `dial`'s.
    mutating func dialledEnded(
        _ child: String, _ status: Status, _ outcome: Call.Status, at moment: Moment, into effects: inout [LegEffect]
    ) -> Bool {
        guard let current = performing, pendingOutcome == nil, case .dial(let option) = current.action.kind, var dialling = current.dialling else {
            return false
        }
        // One of an earlier `dial`, which has only now hung up.
        guard dialling.numbers[child] != nil else { return true }
        performing?.results[child] = status
        let result = bridgedChild == child ? Outcome.Result.completed : Self.result(of: outcome, status)
        dialling.attempts.append(Attempt(
            number: dialling.numbers[child] ?? "", result: result.rawValue, code: status.code, isUnreachable: status.isUnreachable ? true : nil))
        performing?.dialling = dialling
        if bridgedChild == child {
            bridgedChild = nil
            left = status
            dialling.answered = dialling.numbers[child]
            finish(Outcome(.completed, data: dialling.data), at: moment, into: &effects)
        } else if hasNoChildLeft, bridgedChild == nil {
            dialling.round += 1
            performing?.dialling = dialling
            if dialling.round < option.rounds.count {
                ringRound(option, at: moment, into: &effects)
            } else {
                nobodyReached(option, status, at: moment, into: &effects)
            }
        }
        return true
    }

    /// Told by the last attempt of all.
    private mutating func nobodyReached(_ option: Flow.Dial, _ status: Status, at moment: Moment, into effects: inout [LegEffect]) {
        // A party that came and went before this call was answered leaves nothing better to tell than that it is gone.
        let status = status.code >= 300 ? status : Status(code: 480, cause: status.cause, by: status.by)
        refusal = status
        if option.relayReason, phase != .up { return refuse(status, at: moment, into: &effects) }
        let dialling = performing?.dialling
        let attempts = dialling?.attempts ?? []
        let result = attempts.last.flatMap { Outcome.Result(rawValue: $0.result) } ?? .failed
        let isUnseen = !attempts.isEmpty && attempts.allSatisfy { $0.isUnreachable == true }
        let code = isUnseen ? Flow.Dial.unreachable : result == .failed ? String(status.code) : nil
        finish(Outcome(result == .completed ? .failed : result, code: code, data: dialling?.data), at: moment, into: &effects)
    }

    /// What a flow is told of a call that was not joined.
    private static func result(of outcome: Call.Status, _ status: Status) -> Outcome.Result {
        switch outcome {
        case .busy: status.code == 603 ? .declined : .busy
        case .noAnswer: .noAnswer
        case .canceled: .canceled
        default: .failed
        }
    }
}

extension Leg.Dialling {
    var data: [String: JSONValue] {
        var data: [String: JSONValue] = [
            "attempts": .array(attempts.map { ["number": .string($0.number), "result": .string($0.result), "code": .integer(Int64($0.code))] })
        ]
        data["number"] = answered.map(JSONValue.string)
        return data
    }
}

extension Dial {
    /// What the caller hears while it rings.
    var sources: [PlaySource] {
        if let ringbackURL { return [.url(ringbackURL)] }
        return ringback == .music ? [.music] : [.ringback]
    }
}
