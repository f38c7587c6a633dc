import Flow

/// `gather` as CallServer performs it: the same state machine, with the caller of the file.
extension Player {
    mutating func gather(_ option: Gather, of action: Action) -> Outcome {
        var gathering = Gathering()
        /// When the prompt ends, and when the wait does.
        var (promptEnd, waitEnd): (Int?, Int?)
        var commands = gathering.begin(option, ahead: option.typedAhead + digits)
        digits = ""
        while true {
            for command in commands {
                switch command {
                case .prompt(let prompt):
                    var length = 0
                    if case .hint(let text) = prompt {
                        report.heard.append(text)
                        length += text.count * Self.perCharacter
                    }
                    if let text = option.text { report.heard.append(text) } else { report.heard += option.streamURLs }
                    length += script.prompts[action.id] ?? (option.text?.count ?? 0) * Self.perCharacter + option.streamURLs.count * 3000
                    (promptEnd, waitEnd) = (now + length, nil)
                case .stopPrompt: promptEnd = nil
                case .wait(let milliseconds): waitEnd = now + milliseconds
                case .partial: break
                case .finish(let outcome):
                    digits = gathering.rest
                    return outcome
                }
            }
            let end = [promptEnd, waitEnd].compactMap(\.self).min() ?? now
            switch next(until: end) {
            case .press(let key): commands = key.first.map { gathering.pressed($0, option) } ?? []
            case .say(let words):
                commands = gathering.speechBegan(option) + gathering.heard(words, confidence: nil, isFinal: true, option)
            case .hangUp: return .callEnded
            case nil:
                if promptEnd == end {
                    promptEnd = nil
                    commands = gathering.promptEnded(option)
                } else {
                    waitEnd = nil
                    commands = gathering.timeIsUp(option)
                }
            }
        }
    }
}
