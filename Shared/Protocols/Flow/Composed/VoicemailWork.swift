/// `voicemail`: the greeting, the recording, the mailbox.
struct VoicemailWork: Sendable, Hashable {
    enum Stage: String, Sendable, Hashable { case asking, greeting, recording, depositing }

    var stage = Stage.greeting

    mutating func next(after outcome: Outcome?, _ option: Voicemail, _ setting: Composed.Setting) -> Composed.Part {
        guard let outcome else {
            if option.greetingText != Voicemail.usualGreeting || !option.greetingURLs.isEmpty { return greet(option.greetingText, option.greetingURLs, option) }
            stage = .asking
            return .ask(.greeting(mailbox: option.mailbox))
        }
        switch stage {
        case .greeting:
            // Whoever cannot be greeted can still speak.
            if outcome.result == .callEnded { return .done(.failed("call_ended")) }
            stage = .recording
            return .perform("recording", .record(option.record))
        case .recording:
            guard let id = outcome.data?["recording_id"]?.string, let length = outcome.data?["milliseconds"]?.integer else {
                return .done(.failed(outcome.code ?? "not_recorded"))
            }
            guard length >= option.shortest else { return .done(.failed("too_short")) }
            stage = .depositing
            return .ask(
                .deposit(
                    mailbox: option.mailbox, recordingID: id, milliseconds: Int(clamping: length), callID: setting.callID, from: setting.from))
        case .asking, .depositing: return .done(.failed("unreadable"))
        }
    }

    mutating func next(after reply: DepotReply, _ option: Voicemail) -> Composed.Part {
        if stage == .asking {
            stage = .greeting
            guard case .greeting(let text, let urls) = reply, text != nil || !urls.isEmpty else { return greet(option.greetingText, [], option) }
            return greet(text, urls, option)
        }
        if case .refused(let code) = reply { return .done(.failed(code)) }
        guard case .deposited(let id) = reply else { return .done(.failed("not_stored")) }
        return .done(Outcome(.completed, data: ["voicemail_id": .string(id)]))
    }

    private mutating func greet(_ text: String?, _ urls: [String], _ option: Voicemail) -> Composed.Part {
        if !urls.isEmpty {
            var play = Play()
            play.streamURLs = urls
            return .perform("greeting", .play(play))
        }
        guard let text, !text.isEmpty else {
            stage = .recording
            return .perform("recording", .record(option.record))
        }
        var talk = Talk()
        (talk.text, talk.language, talk.voiceID, talk.digitsHandle) = (text, option.language, option.voiceID, .next)
        return .perform("greeting", .talk(talk))
    }
}
