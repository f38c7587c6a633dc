public import Flow

/// Reading the file: every mistake with its JSON pointer, as when a flow is saved.
extension Trial {
    /// `actions` alone, a flow as the API has it, or a flow with `cases`. `load` gives the text of a file that `flow` names.
    public static func read(
        _ document: JSONValue, validation: Validation, load: @escaping (_ path: String) -> JSONValue?
    ) -> Result<Trial, Problems> {
        var reading = TrialReading(validation: validation, load: load)
        let trial = reading.trial(document)
        return reading.problems.isEmpty ? .success(trial) : .failure(Problems(reading.problems))
    }
}

private struct TrialReading {
    let validation: Validation
    let load: (_ path: String) -> JSONValue?
    var problems: [Problem] = []

    init(validation: Validation, load: @escaping (_ path: String) -> JSONValue?) { (self.validation, self.load) = (validation, load) }

    mutating func trial(_ document: JSONValue) -> Trial {
        if document.array != nil { return Trial(actions: actions(document, at: "")) }
        guard let members = object(document, at: "", ["name", "flow", "actions", "flows", "cases", "on_complete_flow_id"]) else {
            return Trial(actions: [])
        }
        var trial = Trial(actions: [])
        if let list = members["actions"] {
            trial.actions = actions(list, at: "/actions")
        } else if let path = members["flow"]?.string {
            guard let file = load(path) else {
                note("/flow", .invalidValue, "there is no flow in \"\(path)\"")
                return trial
            }
            trial.actions = actions(file["actions"] ?? file, at: "/flow")
        } else {
            note("/actions", .missing, "give actions, or flow with the name of a file")
        }
        for (id, list) in self.members(of: members["flows"], at: "/flows") { trial.library[id] = actions(list, at: "/flows/\(id)") }
        for (index, value) in elements(members["cases"], at: "/cases").enumerated() { trial.cases.append(one(value, at: "/cases/\(index)")) }
        return trial
    }

    private mutating func actions(_ list: JSONValue, at pointer: String) -> [Action] {
        switch validation.actions(list, at: pointer) {
        case .success(let actions): return actions
        case .failure(let found):
            problems += found.list
            return []
        }
    }

    private mutating func one(_ value: JSONValue, at pointer: String) -> Trial.Case {
        var result = Trial.Case()
        let known: Set = ["name", "at", "variables", "caller", "callees", "servers", "prompts", "mailboxes", "pins", "parked", "fetched", "amd", "expect"]
        guard let members = object(value, at: pointer, known) else { return result }
        result.name = text(members["name"], at: "\(pointer)/name") ?? pointer
        if let time = text(members["at"], at: "\(pointer)/at") {
            if let seconds = Moment.seconds(time) { result.time = seconds } else {
                note("\(pointer)/at", .invalidValue, "a time is YYYY-MM-DDTHH:MM:SSZ, not \"\(time)\"")
            }
        }
        for (name, value) in self.members(of: members["variables"], at: "\(pointer)/variables") { result.variables[name] = value.plainText }
        for (index, deed) in elements(members["caller"], at: "\(pointer)/caller").enumerated() {
            if let deed = self.deed(deed, at: "\(pointer)/caller/\(index)") { result.caller.append(deed) }
        }
        for (number, value) in self.members(of: members["callees"], at: "\(pointer)/callees") {
            result.callees[number] = callee(value, at: "\(pointer)/callees/\(number)")
        }
        for (address, value) in self.members(of: members["servers"], at: "\(pointer)/servers") {
            let list = value.array ?? [value]
            result.servers[address] = list.enumerated().compactMap { answer($1, at: "\(pointer)/servers/\(address)/\($0)") }
        }
        for (id, value) in self.members(of: members["prompts"], at: "\(pointer)/prompts") {
            result.prompts[id] = number(value, at: "\(pointer)/prompts/\(id)")
        }
        for (name, pin) in self.members(of: members["pins"], at: "\(pointer)/pins") { result.pins[name] = text(pin, at: "\(pointer)/pins/\(name)") }
        for (lot, slots) in self.members(of: members["parked"], at: "\(pointer)/parked") {
            for slot in texts(slots, at: "\(pointer)/parked/\(lot)") ?? [] { result.parked[lot, default: [:]][slot] = "call_in_\(slot)" }
        }
        result.fetchedAfter = number(members["fetched"], at: "\(pointer)/fetched")
        for (name, value) in self.members(of: members["mailboxes"], at: "\(pointer)/mailboxes") {
            let statuses = texts(value, at: "\(pointer)/mailboxes/\(name)") ?? []
            result.mailboxes[name] = statuses.enumerated().compactMap { index, word in
                guard let status = DepotRequest.Message.Status(rawValue: word) else {
                    note("\(pointer)/mailboxes/\(name)/\(index)", .invalidValue, "new or read is expected here")
                    return nil
                }
                return DepotRequest.Message(id: "vm_\(name)_\(index + 1)", recordingID: "rec_\(name)_\(index + 1)", status: status)
            }
        }
        result.answerer = text(members["amd"], at: "\(pointer)/amd") ?? result.answerer
        result.expected = expected(members["expect"], at: "\(pointer)/expect")
        return result
    }

    private mutating func deed(_ value: JSONValue, at pointer: String) -> Trial.Deed? {
        guard let members = object(value, at: pointer, ["press", "say", "hang_up", "on", "after"]) else { return nil }
        let what: Trial.Deed.What
        if let keys = text(members["press"], at: "\(pointer)/press") {
            what = .press(keys)
        } else if let words = text(members["say"], at: "\(pointer)/say") {
            what = .say(words)
        } else if members["hang_up"] == true {
            what = .hangUp
        } else {
            note(pointer, .missing, "give press, say or hang_up")
            return nil
        }
        var deed = Trial.Deed(what: what)
        deed.action = text(members["on"], at: "\(pointer)/on")
        deed.after = number(members["after"], at: "\(pointer)/after") ?? 0
        return deed
    }

    private mutating func callee(_ value: JSONValue, at pointer: String) -> Trial.Callee {
        var callee = Trial.Callee()
        guard let members = object(value, at: pointer, ["answer", "rings", "talks", "presses"]) else { return callee }
        if let word = text(members["answer"], at: "\(pointer)/answer") {
            if let answer = Trial.Callee.Answer(rawValue: word) { callee.answer = answer } else {
                note("\(pointer)/answer", .invalidValue, "one of \(Trial.Callee.Answer.allCases.map(\.rawValue)) is expected here")
            }
        }
        callee.rings = number(members["rings"], at: "\(pointer)/rings") ?? callee.rings
        callee.talks = number(members["talks"], at: "\(pointer)/talks") ?? callee.talks
        callee.presses = text(members["presses"], at: "\(pointer)/presses") ?? ""
        return callee
    }

    private mutating func answer(_ value: JSONValue, at pointer: String) -> Trial.ServerAnswer? {
        guard let members = object(value, at: pointer, ["status", "json", "text", "failure", "after"]) else { return nil }
        var answer = FlowAnswer(status: number(members["status"], at: "\(pointer)/status"))
        answer.failure = text(members["failure"], at: "\(pointer)/failure")
        if answer.failure == nil { answer.status = answer.status ?? 200 }
        if let json = members["json"] { (answer.body, answer.contentType) = (json.jsonText, "application/json") }
        if let body = text(members["text"], at: "\(pointer)/text") { (answer.body, answer.contentType) = (body, "text/plain") }
        answer.milliseconds = number(members["after"], at: "\(pointer)/after") ?? 100
        return Trial.ServerAnswer(answer: answer)
    }

    private mutating func expected(_ value: JSONValue?, at pointer: String) -> Trial.Expected {
        var expected = Trial.Expected()
        guard let value, let members = object(
            value, at: pointer, ["path", "passes", "avoids", "finished", "heard", "variables", "called", "requests", "longest", "holds"])
        else { return expected }
        expected.path = texts(members["path"], at: "\(pointer)/path")
        expected.passes = texts(members["passes"], at: "\(pointer)/passes")
        expected.avoids = texts(members["avoids"], at: "\(pointer)/avoids")
        expected.heard = texts(members["heard"], at: "\(pointer)/heard")
        expected.called = texts(members["called"], at: "\(pointer)/called")
        expected.requests = texts(members["requests"], at: "\(pointer)/requests")
        expected.finished = text(members["finished"], at: "\(pointer)/finished")
        expected.longest = number(members["longest"], at: "\(pointer)/longest")
        for (name, value) in self.members(of: members["variables"], at: "\(pointer)/variables") { expected.variables[name] = value }
        for (index, text) in (texts(members["holds"], at: "\(pointer)/holds") ?? []).enumerated() {
            do throws(Expression.Mistake) { expected.holds.append(try Expression(text)) } catch {
                note("\(pointer)/holds/\(index)", .invalidValue, "\(error.reason) (byte \(error.offset))")
            }
        }
        return expected
    }

    // MARK: Members

    private mutating func note(_ pointer: String, _ code: Problem.Code, _ detail: String) {
        problems.append(Problem(pointer: pointer, code: code, detail: detail))
    }

    private mutating func object(_ value: JSONValue, at pointer: String, _ known: Set<String>) -> [String: JSONValue]? {
        guard let members = value.object else {
            note(pointer, .wrongType, "an object is expected here, not \(value.typeName)")
            return nil
        }
        for name in members.keys.sorted() where !known.contains(name) { note("\(pointer)/\(name)", .unknownField, "this has no meaning here") }
        return members
    }

    private mutating func members(of value: JSONValue?, at pointer: String) -> [(String, JSONValue)] {
        guard let value else { return [] }
        guard let members = value.object else {
            note(pointer, .wrongType, "an object is expected here, not \(value.typeName)")
            return []
        }
        return members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private mutating func elements(_ value: JSONValue?, at pointer: String) -> [JSONValue] {
        guard let value else { return [] }
        guard let elements = value.array else {
            note(pointer, .wrongType, "an array is expected here, not \(value.typeName)")
            return []
        }
        return elements
    }

    private mutating func text(_ value: JSONValue?, at pointer: String) -> String? {
        guard let value else { return nil }
        guard let text = value.string else {
            note(pointer, .wrongType, "a string is expected here, not \(value.typeName)")
            return nil
        }
        return text
    }

    private mutating func texts(_ value: JSONValue?, at pointer: String) -> [String]? {
        guard let value else { return nil }
        return elements(value, at: pointer).enumerated().compactMap { text($1, at: "\(pointer)/\($0)") }
    }

    private mutating func number(_ value: JSONValue?, at pointer: String) -> Int? {
        guard let value else { return nil }
        guard let number = value.integer, (0...86_400_000).contains(number) else {
            note(pointer, .wrongType, "a whole number from 0 to 86400000 is expected here")
            return nil
        }
        return Int(number)
    }
}

/// Times as people write them (RFC 3339, UTC).
enum Moment {
    static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20, bytes[4] == 45, bytes[7] == 45, bytes[10] == 84, bytes[13] == 58, bytes[16] == 58, bytes[19] == 90 else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second < 60, year >= 1970
        else { return nil }
        // Years begin in March here, so that the leap day is the last of one.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return days * 86_400 + hour * 3600 + minute * 60 + second
    }
}
