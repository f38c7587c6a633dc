import Addresses
import Deadlines
import SIP
import Testing

/// Two layers joined by a wire that can lose datagrams, in virtual time.
struct Pair {
    var caller = TransactionLayer(sentBy: SIPTests.caller, seed: 1)
    var callee = TransactionLayer(sentBy: SIPTests.callee, seed: 2)
    var now = Instant.ms(1_000)
    var callerEvents: [Outbox.Event] = []
    var calleeEvents: [Outbox.Event] = []
    /// Start lines in the order in which they were sent.
    var sent: [String] = []
    /// Whether a datagram with that start line is lost.
    var loses: (String) -> Bool = { _ in false }

    var outbox = Outbox()

    /// Carries datagrams to and fro until nobody has any left.
    mutating func settle() throws {
        while !outbox.datagrams.isEmpty || !outbox.events.isEmpty {
            let datagrams = outbox.datagrams
            outbox.removeAll()
            for datagram in datagrams {
                let message = try Message.parse(datagram.bytes)
                sent.append(message.description)
                if loses(message.description) { continue }
                var answer = Outbox()
                if datagram.to == SIPTests.callee {
                    callee.receive(message, from: SIPTests.caller, now: now, into: &answer)
                    calleeEvents += answer.events
                } else {
                    caller.receive(message, from: SIPTests.callee, now: now, into: &answer)
                    callerEvents += answer.events
                }
                outbox.datagrams += answer.datagrams
            }
        }
    }

    mutating func invite() throws -> ClientTransactionID {
        let uri = URI(user: "bob", SIPTests.callee)
        var request = RequestBuilder(
            .invite, uri: uri,
            from: NameAddress(URI(user: "alice", SIPTests.caller), parameters: Parameters([.init("tag", "a")])),
            to: NameAddress(uri), callID: "call-1", cseq: 1)
        request.contact = NameAddress(URI(user: "alice", SIPTests.caller))
        let id = caller.request(request, to: SIPTests.callee, now: now, into: &outbox)
        try settle()
        return id
    }

    mutating func respond(_ status: Int) throws {
        guard let (message, id) = request else { throw Missing() }
        var response = ResponseBuilder(message, status, toTag: "b")
        response.contact = NameAddress(URI(user: "bob", SIPTests.callee))
        callee.respond(id, response, now: now, into: &outbox)
        try settle()
    }

    var request: (Message, ServerTransactionID)? {
        for case .request(let message, let id, _) in calleeEvents { return (message, id) }
        return nil
    }

    /// Runs the clock up to `end`, doing what is due on the way.
    mutating func run(until end: Instant) throws {
        while true {
            let next = [caller.deadline, callee.deadline].compactMap { $0 }.min()
            guard let next, next <= end else { break }
            now = max(now, next)
            var (first, second) = (Outbox(), Outbox())
            caller.expire(now: now, into: &first)
            callee.expire(now: now, into: &second)
            callerEvents += first.events
            calleeEvents += second.events
            outbox.datagrams += first.datagrams + second.datagrams
            try settle()
        }
        now = end
    }

    struct Missing: Error {}
}

extension Outbox.Event {
    var label: String {
        switch self {
        case .request(let message, _, _): "request \(message.method?.name ?? "")"
        case .response(let message, _): "response \(message.status ?? 0)"
        case .timedOut: "timed out"
        case .transportFailed: "transport failed"
        case .ack(_, let id): id == nil ? "ack alone" : "ack"
        case .cancel: "cancel"
        case .unacknowledged: "unacknowledged"
        case .strayResponse(let message, let id): "stray \(message.status ?? 0)" + (id == nil ? "" : " known")
        }
    }
}

@Suite("TransactionLayer: two user agents over a lossy wire")
struct TransactionLayerTests {
    @Test("A call: 100 at once, 180, 200, ACK; nothing is sent twice and nothing is left")
    func call() throws {
        var pair = Pair()
        _ = try pair.invite()
        try pair.respond(180)
        try pair.respond(200)
        #expect(pair.callerEvents.map(\.label) == ["response 100", "response 180", "response 200"])
        guard case .response(let success, _) = pair.callerEvents[2] else { throw Pair.Missing() }
        let request = RequestBuilder(
            .invite, uri: URI(user: "bob", callee), from: try #require(success.from), to: NameAddress(URI(user: "bob", callee)),
            callID: "call-1", cseq: 1)
        let dialog = try #require(Dialog(callerOf: request, response: success))
        pair.caller.acknowledge(dialog.acknowledgement(of: 1), to: callee, into: &pair.outbox)
        try pair.settle()
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE", "ack"])
        try pair.run(until: .ms(100_000))
        #expect(pair.sent.count == 5)
        #expect(pair.caller.clientCount == 0)
        #expect(pair.callee.serverCount == 0)
    }

    @Test("§17.1.1.3: a failure is acknowledged by the layer itself, again when it is repeated")
    func failure() throws {
        var pair = Pair()
        var acks = 0
        _ = try pair.invite()
        pair.loses = { line in
            if line.hasPrefix("ACK") { acks += 1 }
            return line.hasPrefix("ACK") && acks == 1
        }
        try pair.respond(486)
        try pair.run(until: .ms(100_000))
        #expect(pair.callerEvents.map(\.label) == ["response 100", "response 486"])
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE"])
        #expect(pair.sent.filter { $0.hasPrefix("SIP/2.0 486") }.count == 2)
        #expect(acks == 2)
        #expect(pair.caller.clientCount == 0 && pair.callee.serverCount == 0)
    }

    @Test("§17.1.1.2: a lost INVITE is sent again and delivered once")
    func lostInvite() throws {
        var pair = Pair()
        pair.loses = { $0.hasPrefix("INVITE") }
        _ = try pair.invite()
        try pair.run(until: .ms(2_400))
        pair.loses = { $0.hasPrefix("SIP/2.0 100") }
        try pair.run(until: .ms(5_000))
        pair.loses = { _ in false }
        try pair.run(until: .ms(9_000))
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE"])
        #expect(pair.callerEvents.map(\.label) == ["response 100"])
        #expect(pair.sent.filter { $0.hasPrefix("INVITE") }.count == 5)
    }

    @Test("Nobody there: timed out after 64*T1")
    func nobody() throws {
        var pair = Pair()
        pair.loses = { _ in true }
        _ = try pair.invite()
        try pair.run(until: .ms(32_999))
        #expect(pair.callerEvents.isEmpty)
        try pair.run(until: .ms(33_000))
        #expect(pair.callerEvents.map(\.label) == ["timed out"])
        #expect(pair.sent.count == 7)
    }

    @Test("§13.3.1.4: a 2xx is repeated until 64*T1, then the callee is told; the caller hears each repetition as stray")
    func unacknowledged() throws {
        var pair = Pair()
        _ = try pair.invite()
        try pair.respond(200)
        try pair.run(until: .ms(40_000))
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE", "unacknowledged"])
        #expect(pair.sent.filter { $0.hasPrefix("SIP/2.0 200") }.count == 11)
        #expect(
            pair.callerEvents.map(\.label) == ["response 100", "response 200"] + Array(repeating: "stray 200 known", count: 10))
    }

    @Test("§9: CANCEL is answered by the layer, delivered once, and the INVITE ends with 487")
    func cancel() throws {
        var pair = Pair()
        let id = try pair.invite()
        try pair.respond(180)
        pair.caller.cancel(id, now: pair.now, into: &pair.outbox)
        try pair.settle()
        pair.caller.cancel(id, now: pair.now, into: &pair.outbox)
        try pair.settle()
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE", "cancel"])
        try pair.respond(487)
        try pair.run(until: .ms(100_000))
        #expect(pair.callerEvents.map(\.label) == ["response 100", "response 180", "response 487"])
        #expect(pair.sent.filter { $0.hasPrefix("CANCEL") }.count == 1)
        #expect(pair.caller.clientCount == 0 && pair.callee.serverCount == 0)
    }

    @Test("§9.1: a CANCEL waits for the first provisional response")
    func earlyCancel() throws {
        var pair = Pair()
        pair.loses = { $0.hasPrefix("SIP/2.0 100") }
        let id = try pair.invite()
        pair.caller.cancel(id, now: pair.now, into: &pair.outbox)
        try pair.settle()
        #expect(!pair.sent.contains { $0.hasPrefix("CANCEL") })
        try pair.respond(180)
        #expect(pair.calleeEvents.map(\.label) == ["request INVITE", "cancel"])
    }

    @Test("§9.2: a CANCEL for nothing is 481; after the final response it changes nothing")
    func lateCancel() throws {
        var layer = TransactionLayer(sentBy: callee, seed: 1)
        var outbox = Outbox()
        let cancel = try parsed(invite.replacing("INVITE", with: "CANCEL"))
        layer.receive(cancel, from: caller, now: .ms(0), into: &outbox)
        #expect(try Message.parse(outbox.datagrams[0].bytes).status == 481)
        outbox.removeAll()
        layer.receive(try parsed(invite), from: caller, now: .ms(0), into: &outbox)
        guard case .request(let message, let id, _) = outbox.events[0] else { throw Pair.Missing() }
        layer.respond(id, ResponseBuilder(message, 404, toTag: "x"), now: .ms(0), into: &outbox)
        #expect(!layer.respond(id, ResponseBuilder(message, 200, toTag: "x"), now: .ms(0), into: &outbox))
        outbox.removeAll()
        layer.receive(cancel, from: caller, now: .ms(1), into: &outbox)
        let answer = try Message.parse(outbox.datagrams[0].bytes)
        #expect(answer.status == 200)
        #expect(answer.to?.tag == "x")
        #expect(outbox.events.isEmpty)
    }

    @Test("§17.2.2: a repeated request gets the same response again and is not delivered again")
    func repeated() throws {
        var layer = TransactionLayer(sentBy: callee, seed: 1)
        var outbox = Outbox()
        let register = try parsed(invite.replacing("INVITE", with: "REGISTER"))
        layer.receive(register, from: caller, now: .ms(0), into: &outbox)
        layer.receive(register, from: caller, now: .ms(1), into: &outbox)
        #expect(outbox.datagrams.isEmpty)
        #expect(outbox.events.count == 1)
        guard case .request(let message, let id, _) = outbox.events[0] else { throw Pair.Missing() }
        layer.respond(id, ResponseBuilder(message, 200, toTag: "x"), now: .ms(2), into: &outbox)
        layer.receive(register, from: caller, now: .ms(3), into: &outbox)
        #expect(outbox.datagrams.count == 2)
        #expect(outbox.datagrams[0].bytes == outbox.datagrams[1].bytes)
        #expect(outbox.events.count == 1)
    }

    @Test("A request without what every request must have is answered 400, an ACK never")
    func defective() throws {
        var layer = TransactionLayer(sentBy: callee, seed: 1)
        var outbox = Outbox()
        layer.receive(
            try parsed(invite.replacing("CSeq: 314159 INVITE", with: "CSeq: 1 BYE")), from: caller, now: .ms(0), into: &outbox)
        #expect(try Message.parse(outbox.datagrams[0].bytes).status == 400)
        outbox.removeAll()
        layer.receive(
            try parsed(invite.replacing("INVITE sip", with: "ACK sip")), from: caller, now: .ms(0), into: &outbox)
        #expect(outbox.datagrams.isEmpty && outbox.events.isEmpty)
    }

    @Test("Beyond its capacity a layer refuses with 503, and tells each another time to come back at (RFC 3261 §21.5.4)")
    func capacity() throws {
        var layer = TransactionLayer(sentBy: callee, seed: 1, capacity: 0)
        var outbox = Outbox()
        for _ in 0..<50 { layer.receive(try parsed(invite), from: caller, now: .ms(0), into: &outbox) }
        let answers = try outbox.datagrams.map { try Message.parse($0.bytes) }
        #expect(answers.allSatisfy { $0.status == 503 })
        let waits = Set(answers.compactMap { $0.value(.retryAfter).flatMap { Int($0) } })
        #expect(waits.isSubset(of: Set(5...30)) && waits.count > 10)
    }

    @Test("The same seed makes the same branches, another seed others")
    func repeatable() {
        var (first, second, third) = (
            TransactionLayer(sentBy: caller, seed: 7), TransactionLayer(sentBy: caller, seed: 7),
            TransactionLayer(sentBy: caller, seed: 8)
        )
        let tag = first.newTag()
        #expect(tag == second.newTag())
        #expect(tag != third.newTag())
        #expect(tag != first.newTag())
    }
}

@Suite("TransactionKey (RFC 3261 §17.1.3, §17.2.3)")
struct TransactionKeyTests {
    @Test("ACK and CANCEL find their INVITE by branch and sent-by")
    func matching() throws {
        let request = try #require(TransactionKey(request: try parsed(invite)))
        let ack = try parsed(invite.replacing("INVITE", with: "ACK"))
        #expect(TransactionKey(request: ack) == request)
        let cancel = try parsed(invite.replacing("INVITE", with: "CANCEL"))
        #expect(TransactionKey(request: cancel) != request)
        #expect(TransactionKey(cancelledBy: cancel) == request)
        #expect(
            TransactionKey(request: try parsed(invite.replacing("127.0.0.1:5070;branch", with: "127.0.0.1:5071;branch")))
                != request)
        #expect(TransactionKey(request: try parsed(invite.replacing("nashds8", with: "nashds9"))) != request)
    }

    @Test("§16.11, §9.2: a CANCEL and a repetition past another edge of the cluster find their INVITE, since all make one branch of it")
    func pastAnotherEdge() throws {
        func past(_ port: Int, _ method: String, branch: String = "nashds8") throws -> Message {
            try parsed(
                invite.replacing("INVITE", with: method).replacing("127.0.0.1:5070;branch", with: "127.0.0.1:\(port);tandem=token;branch")
                    .replacing("nashds8", with: branch))
        }
        let request = try #require(TransactionKey(request: try past(15_060, "INVITE")))
        #expect(TransactionKey(request: try past(15_070, "INVITE")) == request)
        #expect(TransactionKey(request: try past(15_070, "ACK")) == request)
        #expect(TransactionKey(cancelledBy: try past(15_070, "CANCEL")) == request)
        #expect(TransactionKey(request: try past(15_070, "INVITE", branch: "nashds9")) != request)
    }

    @Test("Without the magic cookie everything but the To tag decides")
    func old() throws {
        let old = invite.replacing("z9hG4bKnashds8", with: "1")
        let request = try #require(TransactionKey(request: try parsed(old)))
        let ack = old.replacing("INVITE", with: "ACK").replacing("biloxi.example.com>", with: "biloxi.example.com>;tag=9")
        #expect(TransactionKey(request: try parsed(ack)) == request)
        #expect(TransactionKey(request: try parsed(old.replacing("314159", with: "314160"))) != request)
        #expect(TransactionKey(request: try parsed(old.replacing("a84b4c76e66710", with: "b"))) != request)
    }
}
