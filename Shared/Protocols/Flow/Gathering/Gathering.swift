/// A `gather` that is going on: keys, speech and time in, what is to be done out. Pure, and part of the snapshot of whoever performs it.
public struct Gathering: Sendable, Hashable, Codable {
    public enum Command: Sendable, Hashable {
        /// Say or play what is asked.
        case prompt(Prompt)
        case stopPrompt
        /// Tell when so many milliseconds have passed, in place of what was asked for before.
        case wait(milliseconds: Int)
        /// Something was understood that may still change.
        case partial(String)
        case finish(Outcome)
    }

    public enum Prompt: Sendable, Hashable {
        case question
        /// This first, then the question.
        case hint(String)
    }

    public static let noInput = "no_input"
    public static let noMatch = "no_match"

    public private(set) var attempt = 1
    /// Pressed so far, the ending key not among them.
    public private(set) var digits = ""
    private var isAsking = false
    private var isSpeaking = false
    private var isOver = false
    /// Keys that were pressed and are not part of the answer.
    public private(set) var rest = ""

    public init() {}

    // MARK: Events

    /// `ahead`: digits pressed before, the oldest first.
    public mutating func begin(_ option: Gather, ahead: String) -> [Command] {
        if option.takes(.digits) {
            for (index, key) in ahead.enumerated() {
                let commands = take(key, option)
                if !commands.isEmpty {
                    rest = String(ahead.dropFirst(index + 1))
                    return commands
                }
            }
        } else {
            rest = ahead
        }
        // Who has begun to answer needs no question.
        guard digits.isEmpty else { return [.wait(milliseconds: option.digitTimeout)] }
        return ask(.question, option)
    }

    public mutating func pressed(_ key: Character, _ option: Gather) -> [Command] {
        guard !isOver else {
            rest.append(key)
            return []
        }
        guard option.takes(.digits) else {
            rest.append(key)
            return []
        }
        // Without barge-in a key counts and the prompt goes on.
        var commands: [Command] = []
        if isAsking, option.bargeIn {
            isAsking = false
            commands.append(.stopPrompt)
        }
        let answer = take(key, option)
        commands += answer
        if answer.isEmpty, !isAsking { commands.append(.wait(milliseconds: digits.isEmpty ? option.timeout : option.digitTimeout)) }
        return commands
    }

    public mutating func promptEnded(_ option: Gather) -> [Command] {
        guard isAsking, !isOver else { return [] }
        isAsking = false
        if isSpeaking { return [.wait(milliseconds: option.speechDuration)] }
        return [.wait(milliseconds: digits.isEmpty ? option.timeout : option.digitTimeout)]
    }

    /// A voice is heard: the prompt ends, and the time for an answer begins.
    public mutating func speechBegan(_ option: Gather) -> [Command] {
        guard !isOver, option.takes(.speech), !isAsking || option.bargeIn else { return [] }
        isSpeaking = true
        var commands: [Command] = []
        if isAsking {
            isAsking = false
            commands.append(.stopPrompt)
        }
        return commands + [.wait(milliseconds: option.speechDuration)]
    }

    public mutating func heard(_ text: String, confidence: Double?, isFinal: Bool, _ option: Gather) -> [Command] {
        guard !isOver, option.takes(.speech), !isAsking || option.bargeIn, !text.isEmpty else { return [] }
        guard isFinal else { return (isSpeaking ? [] : speechBegan(option)) + (option.interim ? [.partial(text)] : []) }
        isSpeaking = false
        var commands: [Command] = isAsking ? [.stopPrompt] : []
        isAsking = false
        if let least = option.confidence, let confidence, confidence < least { return commands + again(Self.noMatch, option, speech: text) }
        guard !option.choices.isEmpty else { return commands + finish(speech: text, confidence, choice: nil, option) }
        if let index = option.choice(saying: text) {
            commands += finish(speech: text, confidence, choice: index, option)
        } else {
            commands += again(Self.noMatch, option, speech: text)
        }
        return commands
    }

    /// No more will be heard: the recogniser has failed. Digits may still come.
    public mutating func speechFailed(_ code: String, _ option: Gather) -> [Command] {
        guard !isOver, !option.takes(.digits) else { return [] }
        isOver = true
        return [.stopPrompt, .finish(Outcome(.failed, code: "speech_\(code)"))]
    }

    public mutating func timeIsUp(_ option: Gather) -> [Command] {
        guard !isOver else { return [] }
        isSpeaking = false
        if !digits.isEmpty { return match(option) }
        return again(Self.noInput, option, speech: nil)
    }

    // MARK: Answers

    private mutating func take(_ key: Character, _ option: Gather) -> [Command] {
        guard Keypad.has(key) else { return [] }
        if option.key.contains(key) {
            // An ending key without anything is no answer, and not the end of the wait.
            guard !digits.isEmpty else { return option.choices.contains { $0.digits == String(key) } ? add(key, option) : [] }
            return match(option)
        }
        return add(key, option)
    }

    private mutating func add(_ key: Character, _ option: Gather) -> [Command] {
        digits.append(key)
        let isLong = digits.count >= option.length ?? Keypad.most
        // The one choice that is left, when no longer one begins with it.
        let isClear = option.length == nil && option.isComplete(digits)
        return isLong || isClear ? match(option) : []
    }

    private mutating func match(_ option: Gather) -> [Command] {
        if option.choices.isEmpty {
            return digits.count >= option.minimumLength ? finish(digits: digits, choice: nil, option) : again(Self.noMatch, option, speech: nil)
        }
        guard let index = option.choices.firstIndex(where: { $0.digits == digits }) else { return again(Self.noMatch, option, speech: nil) }
        return finish(digits: digits, choice: index, option)
    }

    private mutating func ask(_ prompt: Prompt, _ option: Gather) -> [Command] {
        guard option.text != nil || !option.streamURLs.isEmpty || prompt != .question else { return [.wait(milliseconds: option.timeout)] }
        isAsking = true
        return [.prompt(prompt)]
    }

    private mutating func again(_ why: String, _ option: Gather, speech: String?) -> [Command] {
        let pressed = digits
        digits = ""
        guard attempt < option.attempts else {
            isOver = true
            var outcome = Outcome(.failed, digits: pressed, code: why, data: ["attempts": .integer(Int64(attempt))])
            outcome.data?["speech"] = speech.map(JSONValue.string)
            return (isAsking ? [.stopPrompt] : []) + [.finish(outcome)]
        }
        attempt += 1
        let hint = why == Self.noInput ? option.noInputText : option.noMatchText
        let stop: [Command] = isAsking ? [.stopPrompt] : []
        isAsking = false
        return stop + ask(hint.map(Prompt.hint) ?? .question, option)
    }

    private mutating func finish(digits: String, choice: Int?, _ option: Gather) -> [Command] {
        finish(Outcome(.completed, digits: digits, data: ["input": "digits"]), choice, option)
    }

    private mutating func finish(speech: String, _ confidence: Double?, choice: Int?, _ option: Gather) -> [Command] {
        var outcome = Outcome(.completed, digits: "", data: ["input": "speech", "speech": .string(speech)])
        outcome.data?["confidence"] = confidence.map(JSONValue.number)
        return finish(outcome, choice, option)
    }

    private mutating func finish(_ outcome: Outcome, _ choice: Int?, _ option: Gather) -> [Command] {
        isOver = true
        var outcome = outcome
        outcome.data?["attempts"] = .integer(Int64(attempt))
        if let choice {
            outcome.data?["choice"] = .string(option.choices[choice].name)
            outcome.data?["choice_index"] = .integer(Int64(choice))
        }
        return (isAsking ? [.stopPrompt] : []) + [.finish(outcome)]
    }
}

extension Gather {
    /// Whether these digits are a choice, and the beginning of no other.
    fileprivate func isComplete(_ digits: String) -> Bool {
        let possible = choices.compactMap(\.digits).filter { $0.hasPrefix(digits) }
        return possible == [digits]
    }

    /// The choice whose phrase is said, whole, or as a part of more words; the longest phrase counts.
    fileprivate func choice(saying text: String) -> Int? {
        let words = Self.words(text)
        var best: (index: Int, length: Int)?
        for (index, choice) in choices.enumerated() {
            for phrase in choice.phrases.map(Self.words) where !phrase.isEmpty && Self.contains(words, phrase) && phrase.count > best?.length ?? 0 {
                best = (index, phrase.count)
            }
        }
        return best?.index
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(String.init)
    }

    private static func contains(_ words: [String], _ phrase: [String]) -> Bool {
        guard words.count >= phrase.count else { return false }
        return (0...(words.count - phrase.count)).contains { Array(words[$0..<($0 + phrase.count)]) == phrase }
    }
}
