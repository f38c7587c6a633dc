import Flow
import FlowSimulation
import Testing

@Suite("Mailboxes with rules of their own")
struct MailboxTests {
    @Test("The greeting is the flow's, else the mailbox's, else what is usual")
    func greeting() throws {
        for (option, reply, said) in [
            (#", "greeting_text": "Flow""#, DepotReply.greeting(text: "Box", urls: []), "Flow"), ("", .greeting(text: "Box", urls: []), "Box"),
            ("", .greeting(text: nil, urls: ["a.wav"]), "a.wav"), ("", .greeting(text: nil, urls: []), "Please leave a message after the tone."),
            ("", .done, "Please leave a message after the tone."),
        ] {
            var script = try Script(#"[{"id": "vm", "type": "voicemail", "option": {"mailbox": "1001"\#(option)}}]"#)
            script.depot = [reply]
            script.start()
            #expect(script.asked == (option.isEmpty ? [.greeting(mailbox: "1001")] : []))
            switch script.action?.kind {
            case .talk(let talk): #expect(talk.text == said)
            case .play(let play): #expect(play.streamURLs == [said])
            default: Issue.record("nothing is said")
            }
            try script.storeAndLoad()
            try script.answer(.completed)
            #expect(script.performed == ["vm.greeting", "vm.recording"])
        }
    }

    private static let check = #"[{"id": "check", "type": "voicemail_check", "option": {"mailbox": "1001", "attempts": 2}}, {"id": "after", "type": "hangup"}]"#

    @Test("Without a PIN of the flow's the mailbox is asked whether it has one, and whether it is the one that was pressed")
    func unlock() throws {
        var script = try Script(Self.check)
        script.depot = [.done, .opened([])]
        script.start()
        #expect(script.asked == [.unlock(mailbox: "1001", pin: nil), .open(mailbox: "1001", limit: 50)] && script.performed == ["check.none"])
        script = try Script(Self.check)
        script.depot = [.refused("pin")]
        script.start()
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.length == nil && gather.key == "#")
        try script.storeAndLoad()
        script.depot = [.refused("pin")]
        try script.answer(.digits("1111"))
        #expect(script.performed == ["check.pin", "check.wrong_pin"])
        try script.storeAndLoad()
        try script.answer(.completed)
        script.depot = [.done, .opened([])]
        try script.answer(.digits("4711"))
        #expect(script.asked.suffix(3) == [.unlock(mailbox: "1001", pin: "1111"), .unlock(mailbox: "1001", pin: "4711"), .open(mailbox: "1001", limit: 50)])
        #expect(script.performed.last == "check.none")
    }

    @Test("Too many wrong ones, and a mailbox that is locked: the flow is told")
    func refused() throws {
        var script = try Script(Self.check)
        script.depot = [.refused("pin"), .refused("pin"), .refused("pin")]
        try script.play(.digits("1"), .completed, .failed("no_input"))
        #expect(script.run.variables["results.check.code"] == "pin" && script.performed.last == "after")
        script = try Script(Self.check)
        script.depot = [.refused("locked")]
        script.start()
        #expect(script.run.variables["results.check.code"] == "locked")
    }

    @Test("In virtual time")
    func played() throws {
        let text = #"{"actions": \#(Self.check), "cases": [{"pins": {"1001": "4711"}, "caller": [{"on": "check.pin", "press": "4711#"}], "expect": {"heard": ["Please enter your PIN.", "You have no messages."]}}]}"#
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        let report = Player.play(trial.cases[0], of: trial, with: Interpreter())
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
    }
}
