import Addresses
import Deadlines
import SIP
import Testing

@Suite("TransactionLayer: one goes on with the transactions of another")
struct TransactionSuccessionTests {
    private static let successor = SocketAddress(SIPTests.callee.address, port: SIPTests.callee.port &+ 7)

    @Test("an INVITE has no 100 until it is asked for, and one for all its repetitions")
    func trying() throws {
        var pair = Pair()
        pair.callee.sendsTryingAtOnce = false
        _ = try pair.invite()
        #expect(pair.callerEvents.isEmpty)
        let (_, id) = try #require(pair.request)
        pair.callee.trying(id, into: &pair.outbox)
        pair.callee.trying(id, into: &pair.outbox)
        try pair.settle()
        #expect(pair.callerEvents.map(\.label) == ["response 100"])
        try pair.respond(200)
        pair.callee.trying(id, into: &pair.outbox)
        try pair.settle()
        #expect(pair.callerEvents.map(\.label) == ["response 100", "response 200"])
    }

    @Test("RFC 3261 §9.2: a CANCEL whose user first remembers what it did is answered with the INVITE; repeated meanwhile, it is delivered once")
    func heldCancel() throws {
        var pair = Pair()
        pair.callee.answersCancelAtOnce = false
        let id = try pair.invite()
        try pair.respond(180)
        pair.caller.cancel(id, now: pair.now, into: &pair.outbox)
        try pair.settle()
        try pair.run(until: .ms(1_600))
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE", "cancel"])
        #expect(pair.sent.filter { $0.hasPrefix("CANCEL") }.count == 2, "nobody has answered it")
        try pair.respond(487)
        let answers = pair.sent.compactMap { line in ["SIP/2.0 200", "SIP/2.0 487"].first { line.hasPrefix($0) } }
        #expect(answers == ["SIP/2.0 200", "SIP/2.0 487"])
        try pair.run(until: .ms(100_000))
        #expect(pair.callerEvents.map(\.label) == ["response 100", "response 180", "response 487"])
        #expect(pair.sent.filter { $0.hasPrefix("CANCEL") }.count == 2)
        #expect(pair.caller.clientCount == 0 && pair.callee.serverCount == 0)
    }

    @Test("RFC 3261 §9.2: the answer to a CANCEL that was held bears the tag of the INVITE's; behind the final response a CANCEL is answered at once")
    func heldCancelTag() throws {
        var layer = TransactionLayer(sentBy: SIPTests.callee, seed: 1)
        layer.answersCancelAtOnce = false
        var outbox = Outbox()
        let cancel = try parsed(SIPTests.invite.replacing("INVITE", with: "CANCEL"))
        layer.receive(try parsed(SIPTests.invite), from: SIPTests.caller, now: .ms(0), into: &outbox)
        guard case .request(let message, let id, _)? = outbox.events.first else { throw Pair.Missing() }
        outbox.removeAll()
        layer.receive(cancel, from: SIPTests.caller, now: .ms(1), into: &outbox)
        #expect(outbox.datagrams.isEmpty && outbox.events.map(\.label) == ["cancel"])
        layer.respond(id, ResponseBuilder(message, 487, toTag: "x"), now: .ms(2), into: &outbox)
        layer.receive(cancel, from: SIPTests.caller, now: .ms(3), into: &outbox)
        let answers = try outbox.datagrams.map { try Message.parse($0.bytes) }
        #expect(answers.map(\.status) == [200, 487, 200] && answers.allSatisfy { $0.to?.tag == "x" })
        #expect(outbox.events.map(\.label) == ["cancel"])
    }

    @Test("a request received by another is answered, repeated until the ACK, and told from one that is new")
    func adopted() throws {
        var pair = Pair()
        _ = try pair.invite()
        let (message, _) = try #require(pair.request)
        var successor = TransactionLayer(sentBy: Self.successor, seed: 3)
        #expect(!successor.recognises(message))
        let kept = try Message.parse(message.bytes)
        let adopted = successor.adopt(kept, from: SIPTests.caller)
        let id = try #require(adopted)
        let again = successor.adopt(kept, from: SIPTests.caller)
        #expect(successor.recognises(message) && again == id)
        var outbox = Outbox()
        successor.receive(message, from: SIPTests.caller, now: pair.now, into: &outbox)
        #expect(outbox.events.isEmpty, "a repetition is no second request")
        var response = ResponseBuilder(kept, 200, toTag: "b")
        response.contact = NameAddress(URI(user: "bob", Self.successor))
        let isSent = successor.respond(id, response, now: pair.now, into: &outbox)
        #expect(isSent)
        #expect(outbox.datagrams.map(\.to) == [SIPTests.caller])
        successor.expire(now: pair.now + .milliseconds(600), into: &outbox)
        #expect(outbox.datagrams.count == 2 && outbox.datagrams[0].bytes == outbox.datagrams[1].bytes)
        successor.forget(id)
        successor.expire(now: pair.now + .seconds(40), into: &outbox)
        #expect(outbox.datagrams.count == 2 && outbox.events.isEmpty && successor.serverCount == 0)
    }

    @Test("a request of ours sent again by another is the same request, and its responses are that one's")
    func sentAgain() throws {
        let uri = URI(user: "bob", SIPTests.callee)
        var request = RequestBuilder(
            .invite, uri: uri, from: NameAddress(URI(user: "alice", SIPTests.caller), parameters: Parameters([.init("tag", "a")])),
            to: NameAddress(uri), callID: "call-1", cseq: 1)
        request.contact = NameAddress(URI(user: "alice", SIPTests.caller))
        var first = TransactionLayer(sentBy: SIPTests.caller, seed: 1)
        var second = TransactionLayer(sentBy: Self.successor, seed: 2)
        var callee = TransactionLayer(sentBy: SIPTests.callee, seed: 3)
        let name = first.newName()
        var (sent, again, received, answers) = (Outbox(), Outbox(), Outbox(), Outbox())
        _ = first.request(request, as: name, to: SIPTests.callee, now: .ms(1_000), into: &sent)
        let id = second.request(request, as: name, to: SIPTests.callee, now: .ms(3_000), patience: .seconds(2), into: &again)
        #expect(sent.datagrams[0].bytes == again.datagrams[0].bytes)
        callee.receive(try Message.parse(sent.datagrams[0].bytes), from: SIPTests.caller, now: .ms(1_000), into: &received)
        callee.receive(try Message.parse(again.datagrams[0].bytes), from: Self.successor, now: .ms(3_000), into: &received)
        #expect(received.events.map(\.label) == ["request INVITE"])
        second.receive(try Message.parse(received.datagrams[0].bytes), from: SIPTests.callee, now: .ms(3_001), into: &answers)
        #expect(answers.events.map(\.label) == ["response 100"])
        #expect(second.clientCount == 1)
        second.forget(id)
        let deadline = second.deadline
        #expect(second.clientCount == 0 && deadline == nil)
    }

    @Test("what nobody answers is given up after the time that was said")
    func patience() {
        let uri = URI(user: "bob", SIPTests.callee)
        let request = RequestBuilder(
            .invite, uri: uri, from: NameAddress(URI(user: "alice", SIPTests.caller), parameters: Parameters([.init("tag", "a")])),
            to: NameAddress(uri), callID: "call-1", cseq: 1)
        var layer = TransactionLayer(sentBy: SIPTests.caller, seed: 1)
        var outbox = Outbox()
        let name = layer.newName()
        _ = layer.request(request, as: name, to: SIPTests.callee, now: .ms(0), patience: .seconds(2), into: &outbox)
        while let due = layer.deadline, due <= .ms(2_000) { layer.expire(now: due, into: &outbox) }
        #expect(outbox.datagrams.count == 3)
        #expect(outbox.events.map(\.label) == ["timed out"])
    }
}
