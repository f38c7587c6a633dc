import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("RFC 3428: texts within calls") struct TextMessageTests {
    private func text(_ type: String, _ body: [UInt8]) throws(TextMessage.Mistake) -> String { try TextMessage(contentType: type, body: body).text }

    @Test("plain text in UTF-8 is taken, however its type is spelt", arguments: [
        "text/plain", "Text/Plain; charset=UTF-8", "text/plain ;charset=\"utf-8\";format=flowed", "text/plain;charset=us-ascii",
    ])
    func taken(type: String) throws {
        #expect(try text(type, Array("Grüße\r\n".utf8)) == "Grüße\r\n")
    }

    @Test("other content is 415", arguments: ["", ";", "text/html", "text/plainer", "message/cpim", "text/plain;charset=utf-16"])
    func unsupported(type: String) {
        #expect(throws: TextMessage.Mistake.unsupported) { try text(type, Array("a".utf8)) }
        #expect(TextMessage.Mistake.unsupported.code == 415)
    }

    @Test("too long a text is 413, what is no UTF-8 or has a NUL 400")
    func mistakes() throws {
        let longest = [UInt8](repeating: 97, count: TextMessage.longest)
        #expect(try text("text/plain", longest).utf8.count == TextMessage.longest)
        #expect(throws: TextMessage.Mistake.tooLarge) { try text("text/plain", longest + [97]) }
        #expect(throws: TextMessage.Mistake.malformed) { try text("text/plain", [0xff, 0xfe]) }
        #expect(throws: TextMessage.Mistake.malformed) { try text("text/plain", [97, 0]) }
        #expect([TextMessage.Mistake.tooLarge.code, TextMessage.Mistake.malformed.code] == [413, 400])
    }

    private func messages(_ sent: [String]?) -> [String] { (sent ?? []).filter { $0.hasPrefix("MESSAGE") } }

    @Test("each of two who talk sends to the other; a child that only rings, or has gone, does not")
    func partners() throws {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002")
        world.settle()
        let callee = try #require(world.child(of: caller))
        world.handle(caller, .texted("early"))
        world.handle(callee, .texted("early"))
        #expect(messages(world.sent[caller]).isEmpty && messages(world.sent[callee]).isEmpty)
        world.answer(callee)
        world.settle()
        world.handle(caller, .texted("one"))
        world.handle(callee, .texted("two"))
        #expect(messages(world.sent[caller]) == ["MESSAGE two"] && messages(world.sent[callee]) == ["MESSAGE one"])
        // Of a leg that it does not talk with.
        world.handle(caller, .partnerTexted("call_other", "three"))
        #expect(messages(world.sent[caller]) == ["MESSAGE two"])
        world.leave(callee)
        world.settle()
        world.handle(caller, .texted("late"))
        #expect(messages(world.sent[callee]) == ["MESSAGE one"])
    }

    @Test("who talks with nobody is told of all the same: its number and the text; an ended leg is not")
    func event() {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        let effects = fixture.apply(.texted("Hello"))
        #expect(effects.published == ["call.message"] && effects.toldChildren.isEmpty && effects.toldParent.isEmpty)
        let details: [JSONValue] = effects.compactMap { if case .publish(_, _, _, _, let details) = $0 { details["message"] } else { nil } }
        #expect(details == [["from": "1001", "text": "Hello"]])
        _ = fixture.apply(.byed)
        #expect(fixture.apply(.texted("late")).isEmpty)
        var callee = LegFixture.outbound()
        let told: [JSONValue] = callee.apply(.texted("Hello")).compactMap {
            if case .publish(_, _, _, _, let details) = $0 { details["message"]?["from"] } else { nil }
        }
        #expect(told == ["1002"])
    }
}
