import Flow
import Suite
import Testing

/// RFC 5359 §2: services that phones know from telephone exchanges. §2.3 is in `MusicOnHoldTests`; our own phones do the same in
/// `PhoneTransferTests`, and baresip in `BaresipServiceTests`, where sound is heard, too.
@Suite("RFC 5359: service examples", .timeLimit(.minutes(3)))
struct ServiceCallFlowTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A number whose flow rings these, in turn.
    private func forwarding(_ strategy: String = "in_order", to numbers: [String], timeout: Int = 1_000) async throws -> String {
        let targets = numbers.map { number -> JSONValue in ["type": "extension", "target": .string(number), "timeout": .integer(Int64(timeout))] }
        return try await suite.makeNumber(running: [
            ["id": "ring", "type": "dial", "option": ["strategy": .string(strategy), "targets": .array(targets), "relay_reason": true]], ["id": "bye", "type": "hangup"],
        ]).number
    }

    private static let answers = SippScript.callee(.rings, .answers, .isHungUpOn)
    private static let talks = SippScript.caller(.calls(), .isAnswered(), .pauses(200), .hangsUp(3))

    @Test("§2.1: the callee holds and resumes; the caller's phone hears nothing of it over SIP")
    func holds() async throws {
        try await suite.call(
            .caller(.calls(), .isAnswered(), .isHungUpOn),
            to: .callee(.rings, .answers, .pauses(200), .offersAgain(1, "sendonly", expects: "recvonly"), .offersAgain(2, "sendrecv", expects: "sendrecv"), .hangsUp(3)))
    }

    @Test("§2.2: consultation hold: the callee holds, calls somebody else, and comes back; the caller hears nothing of it over SIP")
    func consults() async throws {
        let (third, phone) = try await suite.called(Self.answers)
        let account = try await suite.makeAccount()
        let holding = try await suite.called(
            .callee(
                .rings, .answers, .pauses(200), .offersAgain(1, "sendonly", expects: "recvonly"), .pauses(2_000),
                .offersAgain(2, "sendrecv", expects: "sendrecv"), .hangsUp(3)), as: account)
        let waiting = try await suite.calling(account.number, .caller(.calls(), .isAnswered(), .isHungUpOn))
        _ = try await holding.dialog(isCaller: false, in: suite)
        try await Sipp(.caller(.calls(), .isAnswered(), .pauses(300), .hangsUp(3)), as: account, in: suite, dial: third).succeeds()
        try await phone.succeeds()
        try await waiting.succeeds()
        try await holding.succeeds()
    }

    @Test("§2.5: attended transfer: REFER with Replaces brings the two together with whom the callee talks, who then leaves both")
    func transfersAttended() async throws {
        let (third, phone) = try await suite.called(Self.answers)
        let account = try await suite.makeAccount()
        let consultation = try Sipp(.caller(.calls(), .isAnswered(), .isHungUpOn), as: account, in: suite, dial: third)
        let dialog = try await consultation.dialog(isCaller: true, in: suite)
        let referrer = try await suite.called(
            .callee(
                .rings, .answers, .pauses(200), .refers(1, replacing: dialog),
                .gets("NOTIFY", "Subscription-State", has: "active", in: "SIP/2.0 100"),
                .gets("NOTIFY", "Subscription-State", has: "terminated;reason=noresource", in: "SIP/2.0 200"), .isHungUpOn), as: account, dial: third)
        try await suite.calling(account.number, .caller(.calls(), .isAnswered(), .pauses(1_500), .hangsUp(3))).succeeds()
        try await referrer.succeeds()
        try await consultation.succeeds()
        try await phone.succeeds()
    }

    @Test("§2.4: unattended transfer: the callee refers, is told until the end, and leaves; the caller hears nothing of it over SIP")
    func transfers() async throws {
        let (third, phone) = try await suite.called(.callee(.rings, .answers, .pauses(500), .hangsUp(1)))
        let (number, referrer) = try await suite.called(
            .callee(
                .rings, .answers, .pauses(200), .refers(1), .gets("NOTIFY", "Subscription-State", has: "active", in: "SIP/2.0 100"),
                .gets("NOTIFY", "Subscription-State", has: "active", in: "SIP/2.0 180"),
                .gets("NOTIFY", "Subscription-State", has: "terminated;reason=noresource", in: "SIP/2.0 200"), .isHungUpOn), dial: third)
        try await suite.calling(number, .caller(.calls(), .isAnswered(), .isHungUpOn)).succeeds()
        try await referrer.succeeds()
        try await phone.succeeds()
    }

    @Test("§2.6: transfer by instant message: the callee writes whom to call in its stead; the caller leaves and does")
    func transfersByText() async throws {
        let (third, phone) = try await suite.called(Self.answers)
        let (number, writer) = try await suite.called(.callee(.rings, .answers, .pauses(200), .writes(1, "sip:[service]@demo.localhost"), .isHungUpOn), dial: third)
        let account = try await suite.makeAccount()
        let reading = SippScript.caller(.calls(), .isAnswered(), .gets("MESSAGE", "Content-Type", has: "text/plain", in: "sip:\(third)@demo.localhost"), .pauses(300), .hangsUp(3))
        try await Sipp(reading, as: account, in: suite, dial: number).succeeds()
        try await writer.succeeds()
        try await Sipp(Self.talks, as: account, in: suite, dial: third).succeeds()
        try await phone.succeeds()
    }

    @Test("§2.7: forwarded always, by a flow")
    func always() async throws {
        let (second, phone) = try await suite.called(Self.answers)
        try await suite.calling(try await forwarding(to: [second]), Self.talks).succeeds()
        try await phone.succeeds()
    }

    @Test("§2.8: forwarded when it is busy")
    func busy() async throws {
        let (first, away) = try await suite.called(.callee(.refuses(486)))
        let (second, phone) = try await suite.called(Self.answers)
        try await suite.calling(try await forwarding(to: [first, second]), Self.talks).succeeds()
        try await away.succeeds()
        try await phone.succeeds()
    }

    @Test("§2.9, §2.12: forwarded when it does not answer; a call that finds the second of three")
    func noAnswer() async throws {
        let (first, away) = try await suite.called(.callee(.rings, .isGivenUp))
        let (second, phone) = try await suite.called(Self.answers)
        let unregistered = try await suite.makeAccount().number
        try await suite.calling(try await forwarding(to: [first, unregistered, second]), Self.talks).succeeds()
        try await away.succeeds()
        try await phone.succeeds()
    }

    @Test("§2.12: all ring at once, and the others are told when one has answered")
    func findMe() async throws {
        let (first, away) = try await suite.called(.callee(.rings, .gets("CANCEL", "Reason", has: "completed elsewhere"), .refuses(487)))
        let (second, phone) = try await suite.called(.callee(.rings, .pauses(300), .answers, .isHungUpOn))
        try await suite.calling(try await forwarding("all", to: [first, second], timeout: 10_000), Self.talks).succeeds()
        try await away.succeeds()
        try await phone.succeeds()
    }

    @Test("§2.10: three-way conference, a third party is added: the callee's phone mixes; it holds, calls the third, and tells both that it is the focus now")
    func addsThird() async throws {
        let (third, phone) = try await suite.called(Self.answers)
        let account = try await suite.makeAccount()
        let mixing = try await suite.called(
            .callee(
                .rings, .answers, .pauses(200), .offersAgain(1, "sendonly", expects: "recvonly"), .pauses(1_500),
                .offersAgain(2, "sendrecv", expects: "sendrecv", at: SippScript.Step.focus), .isHungUpOn(at: "conf-")), as: account)
        let caller = try await suite.calling(account.number, .caller(.calls(), .isAnswered(), .pauses(4_000), .hangsUp(3)))
        _ = try await mixing.dialog(isCaller: false, in: suite)
        // The other half of the same phone.
        let adding = try Sipp(
            .caller(.calls(at: SippScript.Step.focus), .isAnswered(), .pauses(3_000), .hangsUp(3)), as: account, in: suite, dial: third)
        try await adding.succeeds()
        try await phone.succeeds()
        try await caller.succeeds()
        try await mixing.succeeds()
    }

    @Test("§2.11: three-way conference, a third party joins: it names the dialog of the callee, and leaves the two again")
    func joins() async throws {
        let (number, phone) = try await suite.called(Self.answers)
        let caller = try await suite.calling(number, .caller(.calls(), .isAnswered(), .pauses(3_000), .hangsUp(3)))
        let dialog = try await phone.dialog(isCaller: false, in: suite)
        try await suite.calling(number, .caller(.calls("Join: \(dialog)"), .isAnswered(), .pauses(300), .hangsUp(3))).succeeds()
        try await caller.succeeds()
        try await phone.succeeds()
    }

    /// A number whose flow rings that phone when this holds, and declines otherwise.
    private func screening(_ holds: String, before number: String) async throws -> String {
        try await suite.makeNumber(running: [
            ["id": "who", "type": "condition", "option": ["expression": .string(holds), "false_target_id": "no"]],
            ["id": "ring", "type": "connect", "option": ["destinations": [["type": "extension", "target": .string(number)]]]], ["id": "bye", "type": "hangup"],
            ["id": "no", "type": "hangup"],
        ]).number
    }

    @Test("§2.13: incoming call screening: who is on the list gets through, others are declined, and the phone does not ring")
    func screensIncoming() async throws {
        let (number, phone) = try await suite.called(Self.answers)
        let listed = try await suite.makeAccount()
        let screened = try await screening("call.from == '\(listed.number)'", before: number)
        try await suite.calling(screened, .caller(.calls(), .isRefused(603))).succeeds()
        try await Sipp(Self.talks, as: listed, in: suite, dial: screened).succeeds()
        try await phone.succeeds()
    }

    @Test("§2.14: outgoing call screening: a number by which calls go out declines who may not call there, whoever that would have reached")
    func screensOutgoing() async throws {
        let (number, phone) = try await suite.called(Self.answers)
        let barred = try await suite.makeAccount()
        let out = try await screening("call.from != '\(barred.number)'", before: number)
        try await Sipp(.caller(.calls(), .isRefused(603)), as: barred, in: suite, dial: out).succeeds()
        try await suite.calling(out, Self.talks).succeeds()
        try await phone.succeeds()
    }

    @Test("§2.16: call pickup: another phone answers what rings, whose phone is told that it was answered elsewhere")
    func picksUp() async throws {
        let (number, ringing) = try await suite.called(.callee(.rings, .gets("CANCEL", "Reason", has: "completed elsewhere"), .refuses(487)))
        let caller = try await suite.calling(number, .caller(.calls(), .hears(180), .isAnswered(), .isHungUpOn))
        let dialog = try await ringing.dialog(isCaller: false, in: suite)
        try await suite.calling(number, .caller(.calls("Replaces: \(dialog);early-only"), .isAnswered(), .pauses(300), .hangsUp(3))).succeeds()
        try await ringing.succeeds()
        try await caller.succeeds()
    }

    @Test("§2.17: automatic redial: who finds somebody busy watches, and calls again when the call there is over")
    func redials() async throws {
        let (busy, account) = (try await suite.makeAccount(), try await suite.makeAccount())
        let refusing = try await suite.called(.callee(.refuses(486)), as: busy)
        try await Sipp(.caller(.calls(), .isRefused(486)), as: account, in: suite, dial: busy.number).succeeds()
        try await refusing.succeeds()
        // What keeps it busy: it rings nowhere, so its first state is that it talks.
        let (third, phone) = try await suite.called(.callee(.answers, .isHungUpOn))
        let talk = try Sipp(.caller(.calls(), .isAnswered(), .pauses(4_000), .hangsUp(3)), as: busy, in: suite, dial: third)
        _ = try await talk.dialog(isCaller: true, in: suite)
        let watching = SippScript.caller(
            .watches(1, "dialog", seconds: 600), .gets("NOTIFY", "Subscription-State", has: "active", in: "confirmed"),
            .gets("NOTIFY", "Subscription-State", has: "active", in: "terminated"), .subscribes(3, to: "dialog", seconds: 0),
            .gets("NOTIFY", "Subscription-State", has: "terminated;reason=timeout"))
        try await Sipp(watching, as: account, in: suite, dial: busy.number).succeeds()
        try await talk.succeeds()
        try await phone.succeeds()
        let again = try await suite.called(Self.answers, as: busy)
        try await Sipp(Self.talks, as: account, in: suite, dial: busy.number).succeeds()
        try await again.succeeds()
    }

    @Test("§2.18: click to dial: a program has one phone rung and, when it answers, the other")
    func clicks() async throws {
        let (first, mine) = try await suite.called(.callee(.rings, .answers, .isHungUpOn))
        let (second, other) = try await suite.called(.callee(.rings, .answers, .pauses(300), .hangsUp(1)))
        let connect: JSONValue = ["id": "connect", "type": "connect", "option": ["destinations": [["type": "extension", "target": .string(second)]]]]
        let made = try await suite.request(
            "POST", "/v1/calls", ["from": .string(second), "to": [.string("sip:\(first)@demo.localhost")], "actions": [connect, ["id": "bye", "type": "hangup"]]])
        #expect(made.status == 201)
        try await other.succeeds()
        try await mine.succeeds()
    }

    @Test("§2.15: parked, and fetched by another phone")
    func parked() async throws {
        let lot = "lot\(UInt32.random(in: .min ... .max))"
        func number(_ option: JSONValue) async throws -> String {
            try await suite.makeNumber(running: [["id": "park", "type": "park", "option": option], ["id": "bye", "type": "hangup"]]).number
        }
        let waiting = try await suite.calling(try await number(["lot": .string(lot), "slot": "1"]), .caller(.calls(), .isAnswered(), .isHungUpOn))
        try await suite.eventually("it is parked") {
            try await suite.request("GET", "/v1/events?limit=200&types=call.parked").body["data"]?.array?.contains { $0["data"]?["park"]?["lot"]?.string == lot } == true
        }
        try await suite.calling(try await number(["lot": .string(lot), "retrieve": "1"]), Self.talks).succeeds()
        try await waiting.succeeds()
    }
}
