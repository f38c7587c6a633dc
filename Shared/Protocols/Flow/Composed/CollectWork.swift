/// `collect`: a `gather` for each time it is asked, and what was answered read as what is wanted.
struct CollectWork: Sendable, Hashable {
    static let invalid = "invalid"

    /// How often it was asked.
    var asked = 0

    mutating func next(after outcome: Outcome?, _ option: Collect, _ setting: Composed.Setting) -> Composed.Part {
        guard let outcome else {
            // A message has no voice; who answers it in writing comes with them.
            guard setting.callID.hasPrefix("call_") else { return .done(.failed("unavailable")) }
            return ask(option, isAgain: false)
        }
        switch outcome.code {
        case _ where outcome.result == .callEnded: return .done(outcome)
        case Gathering.noInput:
            return asked <= option.retries ? ask(option, isAgain: false) : .done(failed(Gathering.noInput))
        case nil, Gathering.noMatch:
            let input = outcome.data?["input"]?.string ?? Gather.Input.digits.rawValue
            let text = (input == Gather.Input.speech.rawValue ? outcome.data?["speech"]?.string : outcome.digits) ?? ""
            if let value = option.value(of: text, choice: outcome.data?["choice"]?.string) {
                return .done(
                    Outcome(
                        .completed,
                        data: ["value": value, "text": .string(text), "input": .string(input), "attempts": .integer(Int64(asked))]))
            }
            return asked <= option.retries ? ask(option, isAgain: true) : .done(failed(Self.invalid))
        case let code?: return .done(failed(code))
        }
    }

    private func failed(_ code: String) -> Outcome { Outcome(.failed, code: code, data: ["attempts": .integer(Int64(asked))]) }

    private mutating func ask(_ option: Collect, isAgain: Bool) -> Composed.Part {
        asked += 1
        var gather = option.gather
        if isAgain, let text = option.invalidText { gather.text = option.promptURLs.isEmpty ? "\(text) \(option.prompt)" : text }
        if isAgain, option.invalidText != nil { gather.streamURLs = [] }
        return .perform("ask", .gather(gather))
    }
}

extension Collect {
    /// How a call asks for it.
    fileprivate var gather: Gather {
        var gather = Gather()
        (gather.text, gather.streamURLs) = promptURLs.isEmpty ? (prompt, []) : (nil, promptURLs)
        (gather.language, gather.voiceID, gather.speechLanguage, gather.timeout) = (language, voiceID, language, timeout)
        gather.keys = keys
        switch kind {
        case .digits: if let maximumLength { gather.length = min(maximumLength, 100) }
        case .text: gather.inputs = [Gather.Input.speech.rawValue]
        case .number: break
        case .date: gather.length = 8
        case .time: gather.length = 4
        case .yesNo:
            gather.inputs = Gather.Input.allCases.map(\.rawValue)
            gather.choices = [("yes", "1", yesPhrases), ("no", "2", noPhrases)].map { value, digits, phrases in
                var choice = Gather.Choice()
                (choice.value, choice.digits, choice.phrases) = (value, digits, phrases)
                return choice
            }
        }
        return gather
    }

    /// What was answered, as what it is; nil when it is none of that kind.
    func value(of text: String, choice: String?) -> JSONValue? {
        switch kind {
        case .digits, .text:
            let length = minimumLength...max(minimumLength, maximumLength ?? .max)
            guard length.contains(text.count), pattern.map({ Pattern($0).matches(text) }) ?? true else { return nil }
            return .string(text)
        case .number: return number(text.replacing("*", with: "."))
        case .yesNo: return choice.map { .bool($0 == "yes") }
        case .date: return date(text).map(JSONValue.string)
        case .time: return time(text).map(JSONValue.string)
        }
    }

    private func number(_ text: String) -> JSONValue? {
        guard let value = Double(text), value.isFinite, value >= minimum ?? -.infinity, value <= maximum ?? .infinity else { return nil }
        return Int64(text).map(JSONValue.integer) ?? .number(value)
    }

    private func date(_ text: String) -> String? {
        guard text.utf8.count == 8, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        func part(_ first: Int, _ length: Int) -> Int { Int(text.dropFirst(first).prefix(length)) ?? 0 }
        let (year, month, day) =
            switch dateFormat {
            case .ymd: (part(0, 4), part(4, 2), part(6, 2))
            case .dmy: (part(4, 4), part(2, 2), part(0, 2))
            case .mdy: (part(4, 4), part(0, 2), part(2, 2))
            }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year > 0, days.indices.contains(month - 1), (1...days[month - 1]).contains(day) else { return nil }
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
    }

    private func time(_ text: String) -> String? {
        guard text.utf8.count == 4, text.utf8.allSatisfy({ (48...57).contains($0) }), let hour = Int(text.prefix(2)), let minute = Int(text.suffix(2)),
            hour < 24, minute < 60
        else { return nil }
        return "\(Self.padded(hour, 2)):\(Self.padded(minute, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
