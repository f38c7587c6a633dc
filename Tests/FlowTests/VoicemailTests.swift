import Flow
import FlowSimulation
import Testing

@Suite("voicemail and voicemail_check: actions made of others")
struct VoicemailTests {
    private static let leave = #"[{"id": "vm", "type": "voicemail", "option": {"mailbox": "1001", "greeting_text": "Hi ${name}", "end_of_silence": 3}}, {"id": "after", "type": "beep"}]"#
    private let variables = ["name": "${digits}", "voipbin.activeflow.reference_id": "call_1", "voipbin.call.source.target": "0301"]
    private let taken: [String: JSONValue] = ["recording_id": "rec_1", "milliseconds": 4000, "ended": "key"]

    @Test("Greets, records, puts it into the mailbox, stored and loaded between any two; what a variable holds is no template")
    func leaves() throws {
        var script = try Script(Self.leave, variables: variables)
        script.start()
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "Hi ${digits}" && talk.digitsHandle == .next)
        try script.storeAndLoad()
        try script.answer(.completed)
        guard case .record(let record) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(record.endOfSilence == 3 && record.beep)
        try script.storeAndLoad()
        script.depot = [.deposited(id: "vm_1")]
        try script.answer(Outcome(.completed, data: taken))
        #expect(script.asked == [.deposit(mailbox: "1001", recordingID: "rec_1", milliseconds: 4000, callID: "call_1", from: "0301")])
        #expect(script.performed == ["vm.greeting", "vm.recording", "after"])
        #expect(script.run.variables["results.vm.voicemail_id"] == "vm_1")
        #expect(script.run.variables["results.vm.result"] == "completed")
    }

    @Test("Who hangs up while it is recorded has left a message; who hangs up before has not")
    func hangsUp() throws {
        var script = try Script(Self.leave, variables: variables)
        script.depot = [.deposited(id: "vm_1")]
        try script.play(.completed, Outcome(.callEnded, data: taken))
        #expect(script.asked.count == 1 && script.finished == .callEnded)
        #expect(script.occurrences.last == .ended(.callEnded))
        script = try Script(Self.leave, variables: variables)
        try script.play(.callEnded)
        #expect(script.asked.isEmpty && script.finished == .callEnded)
        script = try Script(Self.leave, variables: variables)
        try script.play(.completed, .callEnded)
        #expect(script.asked.isEmpty && script.finished == .callEnded)
    }

    @Test("Too short, not recorded, no room in the mailbox: the flow is told why")
    func fails() throws {
        var short = taken
        short["milliseconds"] = 900
        for (outcome, code) in [(Outcome(.completed, data: short), "too_short"), (.failed("exhausted"), "exhausted"), (Outcome(.completed, data: taken), "mailbox_full")] {
            var script = try Script(Self.leave, variables: variables)
            script.depot = [.refused("mailbox_full")]
            try script.play(.failed("play_failed"), outcome)
            #expect(script.run.variables["results.vm.code"] == code)
            #expect(script.performed.last == "after")
        }
    }

    @Test("In a branch: the message is stored when the call ends")
    func inBranch() throws {
        var script = try Script(#"[{"type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"id": "vm", "type": "voicemail", "option": {"mailbox": "1", "greeting_text": ""}}]}]}}]"#)
        script.depot = [.deposited(id: "vm_1")]
        script.start()
        #expect(script.performed == ["vm.recording"])
        try script.storeAndLoad()
        try script.answer(Outcome(.callEnded, data: taken))
        #expect(script.asked.count == 1 && script.finished == .callEnded)
    }

    private static let check = #"[{"id": "check", "type": "voicemail_check", "option": {"mailbox": "1001", "pin": "4711", "attempts": 2, "texts": {"count": "%new/%saved"}}}, {"id": "after", "type": "hangup"}]"#

    private func play(_ one: String, flow: String = Self.check) throws -> Report {
        let trial = try Trial.read(
            try JSONValue(json: #"{"actions": \#(flow), "cases": [\#(one)]}"#), validation: Validation()) { _ in nil }.get()
        return Player.play(trial.cases[0], of: trial, with: Interpreter())
    }

    @Test("PIN, count, again, next, delete, keep as new, end")
    func checks() throws {
        let report = try play(
            #"""
            {"mailboxes": {"1001": ["read", "new", "new", "new"]},
             "caller": [{"on": "check.pin", "press": "4711"}, {"on": "check.message", "after": 500, "press": "1"}, {"on": "check.message", "after": 500, "press": "3"},
                        {"on": "check.message", "after": 500, "press": "4"}, {"on": "check.menu", "after": 500, "press": "2"}, {"on": "check.message", "press": "*"}],
             "expect": {"path": ["check", "check.pin", "check.count", "check.message", "check.message", "check.deleted", "check.message", "check.saved",
                                 "check.message", "check.menu", "check.saved", "check.message", "after"],
               "heard": ["Please enter your PIN.", "3/1", "recording:rec_1001_2", "recording:rec_1001_2", "Deleted.", "recording:rec_1001_3", "Saved.",
                         "recording:rec_1001_4", "One to hear it again, two for the next, three to delete it, four to keep it as new, star to end.", "Saved.", "recording:rec_1001_1"],
               "variables": {"results.check.messages": 4, "results.check.deleted": 1, "results.check.heard": 4}, "finished": "completed"}}
            """#)
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        #expect(report.events.map(\.what).filter { $0.hasPrefix("vm_") } == ["vm_1001_2 is deleted", "vm_1001_3 is new", "vm_1001_4 is read"])
    }

    @Test("A wrong PIN may be tried again, not for ever; an empty mailbox; who says nothing hears all")
    func others() throws {
        var report = try play(
            #"{"caller": [{"on": "check.pin", "press": "1111"}, {"on": "check.pin", "press": "4711"}], "expect": {"heard": ["Please enter your PIN.", "That is wrong.", "Please enter your PIN.", "You have no messages."]}}"#)
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        report = try play(#"{"mailboxes": {"1001": ["new"]}, "caller": [{"on": "check.pin", "press": "1111"}], "expect": {"variables": {"results.check.code": "pin"}, "avoids": ["check.message"]}}"#)
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        report = try play(#"{"mailboxes": {"1001": ["new", "new"]}, "caller": [{"on": "check.pin", "press": "4711"}], "expect": {"passes": ["check.message", "check.menu", "check.saved", "check.message", "check.menu", "check.end", "after"]}}"#)
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        var script = try Script(Self.check.replacing("4711", with: "${nothing}"))
        script.start()
        #expect(script.run.variables["results.check.code"] == "pin", "a PIN that is not there opens nothing")
    }

    @Test("A mailbox that is listened to survives the process, between any two parts")
    func survives() throws {
        var script = try Script(Self.check)
        script.depot = [.opened([.init(id: "vm_1", recordingID: "rec_1", status: .new), .init(id: "vm_2", recordingID: "rec_2", status: .read)])]
        script.start()
        for outcome in [Outcome.digits("4711"), .completed, .digits("1"), .failed("no_input")] {
            try script.storeAndLoad()
            try script.answer(outcome)
        }
        #expect(script.performed == ["check.pin", "check.count", "check.message", "check.message", "check.menu"])
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.text?.isEmpty == false)
        try script.storeAndLoad()
        script.depot = [.done]
        try script.answer(.digits("3"))
        #expect(script.asked.last == .delete(id: "vm_1"))
        #expect(throws: Run.Unreadable.self) { try Run(cursor: ["state": [:], "step": 1, "variables": [:], "frames": [], "composed": ["of": 1]], lists: []) }
    }

    @Test("Recording until a key, silence, the time; mistakes are named")
    func record() throws {
        let flow = ##"[{"id": "take", "type": "record", "option": {"duration": 10, "end_of_silence": 2, "end_of_key": "#"}}]"##
        for (caller, length, ended) in [
            (##"[{"after": 1500, "press": "#"}]"##, 1500, "key"), (#"[{"after": 500, "say": "abcdefghij"}]"#, 3100, "silence"), ("[]", 2000, "silence"),
            (#"[{"after": 700, "hang_up": true}]"#, 700, "hangup"),
        ] {
            let report = try play(#"{"caller": \#(caller), "expect": {"variables": {"results.take.milliseconds": \#(length), "results.take.ended": "\#(ended)"}}}"#, flow: flow)
            #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        }
        for (action, pointer) in [
            (#"{"type": "voicemail"}"#, "/mailbox"), (#"{"type": "voicemail_check", "option": {"mailbox": "1", "pin": "12"}}"#, "/pin"),
            (#"{"type": "voicemail_check", "option": {"mailbox": "1", "texts": {"hello": "x"}}}"#, "/texts/hello"),
            (#"{"type": "record", "option": {"duration": 0}}"#, "/duration"),
        ] {
            guard case .failure(let problems) = Validation().actions(json: Array("[\(action)]".utf8)) else { return #expect(Bool(false)) }
            #expect(problems.list.map(\.pointer) == ["/actions/0/option" + pointer])
        }
    }
}
