/// `park`: a slot, the wait in it, the slot given back; or the slot looked up, and the call that waits there met.
struct ParkWork: Sendable, Hashable {
    enum Stage: String, Sendable, Hashable { case parking, holding, leaving, seeking, meeting }

    var stage = Stage.parking
    var slot = ""
    /// How the wait ended.
    var outcome: Outcome?

    mutating func next(after outcome: Outcome?, _ option: Park, _ setting: Composed.Setting) -> Composed.Part {
        switch stage {
        case .parking, .seeking:
            if let wanted = option.retrieve {
                (stage, slot) = (.seeking, wanted)
                return .ask(.retrieve(lot: option.lot, slot: wanted, by: setting.callID))
            }
            return .ask(.park(lot: option.lot, slot: option.slot, first: option.first, last: option.last, callID: setting.callID, timeout: option.timeout))
        case .holding:
            stage = .leaving
            self.outcome = outcome
            return .ask(.unpark(callID: setting.callID))
        case .meeting: return .done(with(outcome ?? .completed))
        case .leaving: return .done(.failed("unreadable"))
        }
    }

    mutating func next(after reply: DepotReply, _ option: Park) -> Composed.Part {
        switch (stage, reply) {
        case (_, .refused(let code)): return .done(.failed(code))
        case (.parking, .parked(let slot)):
            (stage, self.slot) = (.holding, slot)
            var hold = Hold()
            (hold.lot, hold.slot, hold.timeout, hold.streamURLs) = (option.lot, slot, option.timeout, option.streamURLs)
            return .perform("hold", .hold(hold))
        case (.seeking, .found(let callID)):
            stage = .meeting
            var meet = Meet()
            meet.callID = callID
            return .perform("meet", .meet(meet))
        default: return .done(with(outcome ?? .completed))
        }
    }

    private func with(_ outcome: Outcome) -> Outcome {
        var data = outcome.data ?? [:]
        data["slot"] = .string(slot)
        return Outcome(outcome.result, code: outcome.code, data: data)
    }
}

extension ParkWork {
    var json: JSONValue {
        var members: [String: JSONValue] = ["stage": .string(stage.rawValue), "slot": .string(slot)]
        if let outcome { members["outcome"] = ["result": .string(outcome.result.rawValue), "code": .string(outcome.code ?? "")] }
        return .object(members)
    }

    init?(json: JSONValue) {
        guard let stage = json["stage"]?.string.flatMap(Stage.init), let slot = json["slot"]?.string else { return nil }
        (self.stage, self.slot) = (stage, slot)
        if let result = json["outcome"]?["result"]?.string.flatMap(Outcome.Result.init) {
            let code = json["outcome"]?["code"]?.string ?? ""
            outcome = Outcome(result, code: code.isEmpty ? nil : code)
        }
    }
}
