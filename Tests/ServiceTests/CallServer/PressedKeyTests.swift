import Flow
import Testing

@testable import CallServer

@Suite("CallServer: keys in INFO requests (RFC 6086)")
struct PressedKeyTests {
    private func key(_ type: String, _ body: String) throws(PressedKey.Mistake) -> PressedKey {
        try PressedKey(contentType: type, body: Array(body.utf8))
    }

    @Test(
        "Both kinds of content are read, however they are spaced and spelt",
        arguments: [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5", 160), ("application/dtmf-relay", "Signal= *\nDuration= 90", "*", 90),
            ("Application/DTMF-Relay; charset=utf-8", "signal=11", "#", 160), ("application/dtmf", "7", "7", 160),
            ("application/dtmf", " d \r\n", "D", 160), ("application/dtmf", "Signal=10\r\nDuration=99999999", "*", 8000),
        ])
    func readable(type: String, body: String, digit: String, duration: Int) throws {
        let key = try key(type, body)
        #expect(key.digit == digit && key.duration == duration)
    }

    @Test(
        "What names no key is malformed, whatever its length; other content is not understood",
        arguments: ["", "Signal=", "Signal=E", "Signal=55", "Duration=100", "Signal=16", String(repeating: "Signal=5\n", count: 100)])
    func malformed(body: String) {
        #expect(throws: PressedKey.Mistake.malformed) { try key("application/dtmf-relay", body) }
        #expect(throws: PressedKey.Mistake.unsupported) { try key("application/media_control+xml", body) }
        #expect(throws: PressedKey.Mistake.unsupported) { try key("", body) }
    }

    @Test("A key of a message goes to the relay while the leg has media, and not before or after")
    func effects() {
        func presses(_ effects: [LegEffect]) -> [String] {
            effects.compactMap { if case .pressKey(let digit, let duration) = $0 { "\(digit)/\(duration)" } else { nil } }
        }
        var early = LegFixture.inbound()
        _ = early.apply(.invited(offer: "their sdp", number: "700"))
        #expect(presses(early.apply(.keyInMessage("1", duration: 100))) == [])
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        #expect(presses(fixture.apply(.keyInMessage("5", duration: 120))) == ["5/120"])
        _ = fixture.apply(.byed)
        #expect(presses(fixture.apply(.keyInMessage("5", duration: 120))) == [])
    }

    @Test("A key that the room did not hear ends a prompt that waits for one, and counts as input")
    func pastRoom() {
        var talk = Talk()
        (talk.text, talk.digitsHandle) = ("Hello", .next)
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        let effects = fixture.apply(.digitPastRoom("3"))
        #expect(effects.published == ["call.digits"])
        #expect(effects.outcomes == [.digits("3")])
        #expect(effects.contains { if case .stopPlay = $0 { true } else { false } })
    }

    @Test("Which keys are pressed while a PIN is asked for no event tells, until the next action has come; the flow is told")
    func hidden() {
        func told(_ effects: [LegEffect]) -> [JSONValue?] {
            effects.compactMap { if case .publish("call.digits", _, _, _, let details) = $0 { details["digit"] } else { nil } }
        }
        var gather = Gather()
        (gather.length, gather.keys) = (2, .hidden)
        var (fixture, _) = LegFixture.answered(performing: .gather(gather))
        #expect(told(fixture.apply(.digit("4"))) == ["?"])
        let effects = fixture.apply(.digit("7"))
        #expect(told(effects) == ["?"])
        #expect(effects.outcomes.first?.digits == "47")
        #expect(told(fixture.apply(.digit("1"))) == ["?"], "the answer is on its way: it may be a digit too many")
        (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        #expect(told(fixture.apply(.digit("1"))) == ["1"])
    }
}
