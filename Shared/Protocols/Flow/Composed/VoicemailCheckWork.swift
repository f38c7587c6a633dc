/// `voicemail_check`: the PIN, how many there are, then each message with what the caller wants done with it.
struct VoicemailCheckWork: Sendable, Hashable {
    enum Stage: String, Sendable, Hashable { case pin, looking, unlocking, wrongPIN = "wrong_pin", opening, counted, playing, choosing, changing, told, leaving }

    var stage = Stage.pin
    var attempts = 0
    var messages: [DepotRequest.Message] = []
    /// The message that is played.
    var position = 0
    var deleted = 0

    private static let keys: Set<Character> = ["1", "2", "3", "4", "*"]

    mutating func next(after outcome: Outcome?, _ option: VoicemailCheck) -> Composed.Part {
        if outcome?.result == .callEnded { return .done(result) }
        switch stage {
        case .pin:
            guard let pin = option.pin else { return unlock(outcome, option) }
            // A variable that has no value opens nothing.
            guard !pin.isEmpty else { return .done(.failed("pin")) }
            guard let outcome else { return ask(for: pin, option) }
            if outcome.digits == pin { return open(option) }
            attempts += 1
            guard attempts < option.attempts else { return .done(.failed("pin")) }
            stage = .wrongPIN
            return say(.wrongPIN, option)
        case .wrongPIN:
            stage = .pin
            return ask(for: option.pin, option)
        case .counted: return messages.isEmpty ? .done(result) : play(option)
        case .playing, .choosing: return choose(outcome ?? .completed, option)
        case .told: return goOn(option)
        case .leaving, .looking, .unlocking, .opening, .changing: return .done(result)
        }
    }

    mutating func next(after reply: DepotReply, _ option: VoicemailCheck) -> Composed.Part {
        if stage == .looking || stage == .unlocking, reply == .refused("pin") {
            guard stage == .unlocking else {
                stage = .pin
                return ask(for: nil, option)
            }
            attempts += 1
            guard attempts < option.attempts else { return .done(.failed("pin")) }
            stage = .wrongPIN
            return say(.wrongPIN, option)
        }
        if stage == .looking || stage == .unlocking, reply == .done { return open(option) }
        if case .refused(let code) = reply { return .done(.failed(code)) }
        if case .opened(let found) = reply {
            messages = found
            stage = .counted
            guard !found.isEmpty else { return say(.none, option) }
            let fresh = found.count { $0.status == .new }
            let text = option.text(.count).replacing("%new", with: String(fresh)).replacing("%saved", with: String(found.count - fresh))
            return say("count", text, option)
        }
        // What the caller is told of a message that was marked or deleted.
        guard stage == .changing, messages.indices.contains(position) else { return .done(result) }
        let isDeleted = messages[position].recordingID.isEmpty
        stage = .told
        return say(isDeleted ? .deleted : .saved, option)
    }

    var result: Outcome {
        Outcome(
            .completed,
            data: [
                "messages": .integer(Int64(messages.count)), "heard": .integer(Int64(min(position, messages.count))),
                "deleted": .integer(Int64(deleted)),
            ])
    }

    // MARK: Parts

    /// The mailbox knows whether it has a PIN, and whether it is the one that was pressed.
    private mutating func unlock(_ outcome: Outcome?, _ option: VoicemailCheck) -> Composed.Part {
        stage = outcome == nil ? .looking : .unlocking
        return .ask(.unlock(mailbox: option.mailbox, pin: outcome.map { $0.digits ?? "" }))
    }

    /// Nil: a PIN of nobody knows which length, which a # ends.
    private func ask(for pin: String?, _ option: VoicemailCheck) -> Composed.Part {
        var gather = Gather()
        (gather.text, gather.language, gather.voiceID) = (option.text(.pin), option.language, option.voiceID)
        (gather.length, gather.timeout, gather.keys) = (pin.map { max(1, $0.utf8.count) }, 10_000, .hidden)
        return .perform("pin", .gather(gather))
    }

    private mutating func open(_ option: VoicemailCheck) -> Composed.Part {
        stage = .opening
        return .ask(.open(mailbox: option.mailbox, limit: option.limit))
    }

    private mutating func play(_ option: VoicemailCheck) -> Composed.Part {
        guard messages.indices.contains(position) else { return .done(result) }
        stage = .playing
        var gather = Gather()
        gather.streamURLs = ["recording:" + messages[position].recordingID]
        (gather.length, gather.key, gather.timeout) = (1, "", 1000)
        return .perform("message", .gather(gather))
    }

    private mutating func choose(_ outcome: Outcome, _ option: VoicemailCheck) -> Composed.Part {
        guard messages.indices.contains(position) else { return .done(result) }
        guard let key = outcome.digits?.first, Self.keys.contains(key) else {
            // Who says nothing to the message is told what can be said; who says nothing to that hears the next.
            guard stage == .playing else { return change(.mark(id: messages[position].id, .read)) }
            stage = .choosing
            var gather = Gather()
            (gather.text, gather.language, gather.voiceID) = (option.text(.menu), option.language, option.voiceID)
            (gather.length, gather.key, gather.timeout) = (1, "", 4000)
            return .perform("menu", .gather(gather))
        }
        switch key {
        case "1": return play(option)
        case "2": return change(.mark(id: messages[position].id, .read))
        case "3":
            let id = messages[position].id
            deleted += 1
            // Nothing is left to be played.
            messages[position].recordingID = ""
            return change(.delete(id: id))
        case "4": return change(.mark(id: messages[position].id, .new))
        default:
            position += 1
            return .done(result)
        }
    }

    private mutating func change(_ request: DepotRequest) -> Composed.Part {
        stage = .changing
        return .ask(request)
    }

    private mutating func goOn(_ option: VoicemailCheck) -> Composed.Part {
        position += 1
        guard messages.indices.contains(position) else {
            stage = .leaving
            return say(.end, option)
        }
        return play(option)
    }

    private func say(_ phrase: VoicemailCheck.Phrase, _ option: VoicemailCheck) -> Composed.Part {
        say(phrase.rawValue, option.text(phrase), option)
    }

    private func say(_ name: String, _ text: String, _ option: VoicemailCheck) -> Composed.Part {
        var talk = Talk()
        (talk.text, talk.language, talk.voiceID) = (text, option.language, option.voiceID)
        // Whoever hears that it was wrong begins with the right one.
        if stage == .wrongPIN { talk.keys = .hidden }
        return .perform(name, .talk(talk))
    }
}

extension VoicemailCheckWork {
    var json: JSONValue {
        [
            "stage": .string(stage.rawValue), "attempts": .integer(Int64(attempts)), "position": .integer(Int64(position)),
            "deleted": .integer(Int64(deleted)),
            "messages": .array(messages.map { [.string($0.id), .string($0.recordingID), .string($0.status.rawValue)] }),
        ]
    }

    init?(json: JSONValue) {
        func number(_ name: String) -> Int? { json[name]?.integer.flatMap(Int.init(exactly:)) }
        guard let stage = json["stage"]?.string.flatMap(Stage.init), let attempts = number("attempts"), let position = number("position"),
            let deleted = number("deleted"), let list = json["messages"]?.array
            , position >= 0
        else { return nil }
        (self.stage, self.attempts, self.position, self.deleted) = (stage, attempts, position, deleted)
        for element in list {
            guard let parts = element.array, parts.count == 3, let id = parts[0].string, let recording = parts[1].string,
                let status = parts[2].string.flatMap(DepotRequest.Message.Status.init)
            else { return nil }
            messages.append(DepotRequest.Message(id: id, recordingID: recording, status: status))
        }
    }
}
