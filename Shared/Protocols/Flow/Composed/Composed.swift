/// An action that is made of others: a small state machine that has one thing after the other performed. It is stored with the run,
/// so whoever goes on with the run goes on with it.
struct Composed: Sendable, Hashable {
    let action: Action
    var work: Work

    enum Work: Sendable, Hashable {
        case voicemail(VoicemailWork)
        case check(VoicemailCheckWork)
        case park(ParkWork)
        case transfer
        case call(CallWork)
        case collect(CollectWork)
    }

    /// What is to come next.
    enum Part: Sendable, Hashable {
        case perform(String, Action.Kind)
        case ask(DepotRequest)
        case done(Outcome)
    }

    /// What is known of the run.
    struct Setting: Sendable {
        let callID: String
        let runID: String
        let from: String
        /// Who calls does not want to be known.
        let isAnonymous: Bool
    }

    init(_ action: Action, _ work: Work) { (self.action, self.work) = (action, work) }

    /// Nil when the action is none of these.
    init?(of action: Action) {
        switch action.kind {
        case .voicemail: self.init(action, .voicemail(VoicemailWork()))
        case .voicemailCheck: self.init(action, .check(VoicemailCheckWork()))
        case .park: self.init(action, .park(ParkWork()))
        case .transfer: self.init(action, .transfer)
        case .call: self.init(action, .call(CallWork()))
        case .collect: self.init(action, .collect(CollectWork()))
        default: return nil
        }
    }

    /// The first part (`outcome` nil), and what follows one that was performed. When the call has ended, only what is asked of the depot
    /// is still done.
    mutating func next(after outcome: Outcome?, _ setting: Setting) -> Part {
        switch (work, action.kind) {
        case (.voicemail(var work), .voicemail(let option)):
            let part = work.next(after: outcome, option, setting)
            self.work = .voicemail(work)
            return part
        case (.check(var work), .voicemailCheck(let option)):
            let part = work.next(after: outcome, option)
            self.work = .check(work)
            return part
        case (.park(var work), .park(let option)):
            let part = work.next(after: outcome, option, setting)
            self.work = .park(work)
            return part
        case (.call(let work), .call(let option)): return work.next(option, setting)
        case (.collect(var work), .collect(let option)):
            let part = work.next(after: outcome, option, setting)
            self.work = .collect(work)
            return part
        case (.transfer, .transfer(let option)): return outcome.map(Part.done) ?? .perform("dial", .dial(option.dial))
        default: return .done(.failed("unreadable"))
        }
    }

    mutating func next(after reply: DepotReply, _ setting: Setting) -> Part {
        switch (work, action.kind) {
        case (.voicemail(var work), .voicemail(let option)):
            let part = work.next(after: reply, option)
            self.work = .voicemail(work)
            return part
        case (.check(var work), .voicemailCheck(let option)):
            let part = work.next(after: reply, option)
            self.work = .check(work)
            return part
        case (.park(var work), .park(let option)):
            let part = work.next(after: reply, option)
            self.work = .park(work)
            return part
        case (.call(var work), .call(let option)):
            work.take(reply)
            let part = work.next(option, setting)
            self.work = .call(work)
            return part
        default: return .done(.failed("unreadable"))
        }
    }
}

extension Composed {
    var json: JSONValue {
        switch work {
        case .voicemail(let work): ["of": action.json, "at": .string(work.stage.rawValue)]
        case .park(let work): ["of": action.json, "park": work.json]
        case .check(let work): ["of": action.json, "check": work.json]
        case .transfer: ["of": action.json, "transfer": true]
        case .call(let work): ["of": action.json, "call": work.json]
        case .collect(let work): ["of": action.json, "collect": .integer(Int64(work.asked))]
        }
    }

    init?(json: JSONValue) {
        guard let action = json["of"].flatMap({ Action(json: $0) }) else { return nil }
        if let stage = json["at"]?.string.flatMap(VoicemailWork.Stage.init) {
            self.init(action, .voicemail(VoicemailWork(stage: stage)))
        } else if let work = json["check"].flatMap(VoicemailCheckWork.init(json:)) {
            self.init(action, .check(work))
        } else if let work = json["park"].flatMap(ParkWork.init(json:)) {
            self.init(action, .park(work))
        } else if let work = json["call"].flatMap(CallWork.init(json:)) {
            self.init(action, .call(work))
        } else if let asked = json["collect"]?.integer {
            self.init(action, .collect(CollectWork(asked: Int(clamping: asked))))
        } else if json["transfer"] == true {
            self.init(action, .transfer)
        } else {
            return nil
        }
    }
}
