/// `parallel`: lists of actions that are worked through beside each other.
///
/// A call does one thing at a time, so one branch at most performs actions on it; the others ask web servers, decide and calculate
/// meanwhile.
public struct Parallel: Sendable, Hashable, OptionFields {
    public enum Until: String, Sendable, Hashable, OptionChoice {
        /// Every branch has come to its end.
        case all
        /// One has; the others are given up.
        case first
    }

    public struct Branch: Sendable, Hashable, OptionFields {
        public var name = ""
        public var actions: [Action] = []

        public init() {}

        /// Whether it needs the call to itself.
        var usesCall: Bool { actions.contains { $0.kind.usesCall } }

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.string("name", &name, .required, .identifier)
            visitor.actions("actions", &actions, of: name)
        }
    }

    public var branches: [Branch] = []
    public var until = Until.all

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.objects("branches", &branches, .required)
        visitor.choice("until", &until, .optional)
    }

    func check(_ reader: inout OptionReader) {
        let pointer = reader.pointer.pointing(at: "branches")
        if branches.count > reader.limits.branches {
            reader.note(pointer, .tooMany, "at most \(reader.limits.branches) branches, not \(branches.count)")
        }
        var names: Set<String> = []
        var ids: Set<String> = []
        var callBranch: String?
        for (index, branch) in branches.enumerated() {
            let pointer = pointer.pointing(at: index)
            if !names.insert(branch.name).inserted {
                reader.note(pointer.pointing(at: "name"), .duplicateID, "another branch has this name as well")
            }
            for (place, action) in branch.actions.enumerated() {
                let pointer = pointer.pointing(at: "actions").pointing(at: place)
                if !ids.insert(action.id).inserted {
                    reader.note(pointer.pointing(at: "id"), .duplicateID, "an action of another branch has this id: results are kept by it")
                }
                if case .parallel = action.kind {
                    reader.note(pointer.pointing(at: "type"), .invalidValue, "a branch has no branches of its own")
                }
            }
            guard branch.usesCall else { continue }
            if let callBranch {
                reader.note(pointer, .invalidValue, "the branch \"\(callBranch)\" has the call: only one can perform actions on it")
            }
            callBranch = callBranch ?? branch.name
        }
    }
}

extension Action.Kind {
    /// Whether it is performed on the call, by whoever has it.
    var usesCall: Bool {
        switch self {
        case .amd, .answer, .beep, .collect, .confbridgeJoin, .conferenceJoin, .connect, .dial, .digitsReceive, .digitsSend, .echo, .externalMediaStart, .externalMediaStop,
            .gather, .hangup, .hold, .listenStart, .listenStop, .meet, .mute, .park, .play, .playTone, .record, .recordingStart, .recordingStop, .setHeader, .sleep, .streamEcho,
            .talk, .transcribeStart, .transcribeStop, .transfer, .voicemail, .voicemailCheck: true
        case .aiSummary, .aiTalk, .aiTask, .block, .branch, .call, .caseCreate, .condition, .conditionCallDigits, .conditionCallStatus,
            .conditionDatetime, .conditionVariable, .conversationSend, .emailSend, .fetch, .fetchFlow, .goto, .httpRequest,
            .messageSend, .parallel, .queueJoin, .schedule, .stop, .transcribeRecording, .variableSet, .webhookSend: false
        }
    }
}
