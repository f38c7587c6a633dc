import Phone
import SIP
import Suite
import Testing

@Suite("RFC 4235: who watches an extension is told of its phones' dialogs", .timeLimit(.minutes(2)))
struct DialogEventTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("a lamp shows that a phone rings, talks, and talks no more; another shows the same of the phone that calls")
    func lamps() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = (phones[0], phones[1])
            await callee.setIncoming(.ring)
            let lamp = try Lamp(suite, try await suite.makeAccount(), watching: callee.number)
            let other = try Lamp(suite, try await suite.makeAccount(), watching: caller.number)
            let accepted = try await lamp.subscribe()
            #expect(accepted.status == 200 && accepted.expires == 600)
            try await other.subscribe()
            let idle = try await lamp.shows("nothing yet")
            #expect(!idle.contains("<dialog ") && idle.contains("entity=\"sip:\(callee.number)@\(suite.domain)\""))

            let outgoing = try await caller.call(callee.number)
            let incoming = try await callee.incomingCall()
            let ringing = try await lamp.shows(state: "early")
            #expect(Lamp.value("direction", in: ringing) == "recipient")
            #expect(ringing.contains("<remote><identity>sip:\(caller.number)@\(suite.domain)</identity></remote>"))
            #expect(!ringing.contains("call-id") && !ringing.contains("-tag"), "who sits elsewhere cannot take the place")
            #expect(Lamp.value("direction", in: try await other.shows(state: "early")) == "initiator")

            try await incoming.answer()
            try await outgoing.answered()
            let talking = try await lamp.shows(state: "confirmed")
            #expect(Lamp.value("id", in: talking) == Lamp.value("id", in: ringing), "it is the same dialog")
            #expect(try await other.shows(state: "confirmed").contains("<remote><identity>sip:\(callee.number)@\(suite.domain)</identity></remote>"))
            try await outgoing.hangup()
            #expect(try await lamp.shows(state: "terminated").contains("event=\"remote-bye\""))
            #expect(try await other.shows(state: "terminated").contains("event=\"local-bye\""))

            #expect(try await lamp.subscribe(expires: 0).status == 200)
            let (last, empty) = try await lamp.agent.notified("the end") { _, notify in
                notify.value(.subscriptionState)?.hasPrefix("terminated") == true
            }
            #expect(last.value(.subscriptionState) == "terminated;reason=timeout" && !empty.contains("<dialog "), "what has ended was told once")
            #expect(lamp.versions == Array(lamp.versions.sorted()) && lamp.versions.first == 0, "§4.1.1: each document has a higher version")
            #expect(try await lamp.subscribe().status == 481, "it is no more")
        }
    }

    @Test("§6, RFC 5359 §2.16: another phone of the extension is told Call-ID and tags, and with them takes what rings")
    func picksUp() async throws {
        let account = try await suite.makeAccount()
        try await withPhones(1, in: suite) { phones in
            func phone() throws -> PhoneLine {
                PhoneLine(PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: try suite.proxy(over: .udp)))
            }
            let (ringing, taking) = (try phone(), try phone())
            await ringing.setIncoming(.ring)
            try await ringing.register()
            let lamp = try Lamp(suite, account, watching: account.number)
            try await lamp.subscribe()
            let outgoing = try await phones[0].call(account.number)
            let incoming = try await ringing.incomingCall()
            let document = try await lamp.shows("its names") { $0.contains(">early</state>") && $0.contains(" local-tag=") }
            let callID = try #require(Lamp.value("call-id", in: document))
            let (local, remote) = (try #require(Lamp.value("local-tag", in: document)), try #require(Lamp.value("remote-tag", in: document)))
            let taken = try await taking.call(phones[0].number, [Header(.replaces, "\(callID);to-tag=\(remote);from-tag=\(local);early-only")])
            try await taken.answered()
            try await outgoing.answered()
            #expect(try await incoming.ended() == .cancelled)
            try await taken.hangup()
            _ = try await outgoing.ended()
            await ringing.close()
            await taking.close()
        }
    }

    @Test("RFC 5359 §2.17: automatic redial: who finds somebody busy watches, and calls again when the call there is over")
    func redials() async throws {
        let account = try await suite.makeAccount()
        try await withPhones(2, in: suite) { phones in
            let (busy, third) = (phones[0], phones[1])
            let caller = PhoneLine(PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: try suite.proxy(over: .udp)))
            let (talk, _) = try await connect(third, busy)
            await busy.setIncoming(.busy)
            let refused = try await caller.call(busy.number)
            await #expect(throws: PhoneError.self) { try await refused.answered() }

            let lamp = try Lamp(suite, account, watching: busy.number)
            #expect(try await lamp.subscribe().status == 200)
            _ = try await lamp.shows(state: "confirmed")
            await busy.setIncoming(.answer(after: .zero))
            try await talk.hangup()
            let free = try await lamp.shows("nobody talks there") { $0.contains(">terminated</state>") && !$0.contains(">confirmed</state>") }
            #expect(free.contains("event=\"remote-bye\""))

            let again = try await caller.call(busy.number)
            try await again.answered()
            _ = try await lamp.shows(state: "confirmed")
            #expect(try await lamp.subscribe(expires: 0).status == 200)
            try await again.hangup()
            await caller.close()
        }
    }
}
