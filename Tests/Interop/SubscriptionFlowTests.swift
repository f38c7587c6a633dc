import Suite
import Testing

/// RFC 6665: the subscription that a REFER makes (RFC 3515), which is the one that calls have.
@Suite("RFC 6665: a REFER's subscription", .timeLimit(.minutes(3)))
struct SubscriptionFlowTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let trying = SippScript.Step.gets("NOTIFY", "Subscription-State", has: "active;expires=", in: "SIP/2.0 100")
    private static let stays = SippScript.caller(.calls(), .isAnswered(), .isHungUpOn)

    /// Who is called refers who calls to a phone that plays `third`.
    private func refer(to third: SippScript, _ steps: SippScript, _ caller: SippScript = stays) async throws {
        let (target, phone) = try await suite.called(third)
        let (number, referrer) = try await suite.called(steps, dial: target)
        try await suite.calling(number, caller).succeeds()
        try await referrer.succeeds()
        try await phone.succeeds()
    }

    @Test("§4.2.1.2, §4.1.3: NOTIFY at once, and terminated with the last; a new party that refuses leaves the two talking")
    func refusedByTarget() async throws {
        try await refer(
            to: .callee(.refuses(486)),
            .callee(
                .rings, .answers, .pauses(200), .refers(1), Self.trying,
                .gets("NOTIFY", "Subscription-State", has: "terminated;reason=noresource", in: "SIP/2.0 486"), .hangsUp(2)))
    }

    @Test("§4.1.2.3: refreshed, then unsubscribed: a last NOTIFY says so, no other comes, and the transfer goes on")
    func unsubscribed() async throws {
        try await refer(
            to: .callee(.pauses(600), .rings, .pauses(300), .answers, .pauses(300), .hangsUp(1)),
            .callee(
                .rings, .answers, .pauses(200), .refers(1), Self.trying, .subscribes(2, seconds: 60), Self.trying, .subscribes(3, seconds: 0),
                .gets("NOTIFY", "Subscription-State", has: "terminated;reason=timeout", in: "SIP/2.0 100"), .isHungUpOn))
    }

    @Test("§4.2.2: a NOTIFY that is refused with 481 ends the subscription; the transfer goes on")
    func refusedNotice() async throws {
        try await refer(
            to: .callee(.pauses(300), .rings, .answers, .pauses(300), .hangsUp(1)),
            .callee(.rings, .answers, .pauses(200), .refers(1), .gets("NOTIFY", answers: 481), .isHungUpOn))
    }

    @Test("§4.2.1.1: refused, there is none: of another domain 403, of another event 489, of no REFER 481")
    func refused() async throws {
        try await suite.call(
            .caller(.calls(), .isAnswered(), .isHungUpOn),
            to: .callee(
                .rings, .answers, .pauses(200), .sends("REFER", 1, "Refer-To: <sip:1@elsewhere.example>", gets: 403),
                .sends("SUBSCRIBE", 2, "Event: dialog", "Expires: 60", gets: 489), .subscribes(3, seconds: 60, gets: 481), .hangsUp(4)))
    }

    @Test("RFC 4488 §4: a REFER with Refer-Sub: false has none")
    func silent() async throws {
        try await refer(
            to: .callee(.rings, .answers, .pauses(300), .hangsUp(1)),
            .callee(.rings, .answers, .pauses(200), .sends("REFER", 1, "Refer-To: <sip:[service]@demo.localhost>", "Refer-Sub: false", gets: 202), .isHungUpOn))
    }
}
