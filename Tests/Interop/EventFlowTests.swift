import Suite
import Testing

/// RFC 6665 outside calls: an extension's registration is watched (RFC 3680), or the dialogs of its phones (RFC 4235). Subscriptions that REFERs make
/// are in `SubscriptionFlowTests`. Under test a subscription lasts two seconds at least (deploy/local/test).
@Suite("RFC 6665: who watches an extension", .timeLimit(.minutes(2)))
struct EventFlowTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let events = ["reg", "dialog"]

    private static func document(_ event: String) -> String { event == "reg" ? "reginfo" : "dialog-info" }

    private static func isTold(_ event: String) -> SippScript.Step {
        .gets("NOTIFY", "Subscription-State", has: "active;expires=[1-9]", in: document(event))
    }

    private static func isOver(_ event: String) -> SippScript.Step {
        .gets("NOTIFY", "Subscription-State", has: "terminated;reason=timeout", in: document(event))
    }

    private func watch(_ steps: SippScript) async throws { try await suite.calling(try await suite.makeAccount().number, steps).succeeds() }

    @Test("§4.1.2, §4.2.1.2: told at once, renewed and told again, ended and told for the last time; then there is none", arguments: events)
    func life(_ event: String) async throws {
        try await watch(
            .caller(
                .watches(1, event, seconds: 600, "Expires", has: "600"), Self.isTold(event), .subscribes(3, to: event, seconds: 300), Self.isTold(event),
                .subscribes(4, to: event, seconds: 0), Self.isOver(event), .pauses(300), .subscribes(5, to: event, seconds: 60, gets: 481)))
    }

    @Test("§4.4.3: fetched: for no time at all it is told once", arguments: events)
    func fetched(_ event: String) async throws {
        try await watch(.caller(.watches(1, event, seconds: 0), Self.isOver(event), .pauses(300), .subscribes(3, to: event, seconds: 60, gets: 481)))
    }

    @Test("§4.2.1.1, §4.2.2: too short is 423 with Min-Expires, at first and within the dialog; who does not renew is told that its time is over", arguments: events)
    func runsOut(_ event: String) async throws {
        try await watch(
            .caller(
                .watches(1, event, seconds: 1, gets: 423, "Min-Expires", has: "2"), .watches(3, event, seconds: 2, "Expires", has: "2"), Self.isTold(event),
                .subscribes(5, to: event, seconds: 1, gets: 423), Self.isOver(event), .pauses(300), .subscribes(6, to: event, seconds: 60, gets: 481)))
    }

    @Test("§8.3.2: what nobody can watch here is 489 with what can be watched", arguments: ["presence", "message-summary", "refer", "conference"])
    func badEvent(_ event: String) async throws {
        try await watch(.caller(.watches(1, event, seconds: 600, gets: 489, "Allow-Events", has: "reg, dialog")))
    }

    @Test("§4.2.1.1, RFC 3261 §12.2.2: in a dialog that there is not it is 481", arguments: events)
    func unknownDialog(_ event: String) async throws {
        try await watch(.caller(.watches(1, event, seconds: 600, tag: "nobody", gets: 481)))
    }

    @Test("§4.2.2: a NOTIFY that is refused with 481 is the last", arguments: events)
    func refusedNotice(_ event: String) async throws {
        try await watch(
            .caller(.watches(1, event, seconds: 600), .gets("NOTIFY", answers: 481), .pauses(500), .subscribes(3, to: event, seconds: 600, gets: 481)))
    }

    @Test("RFC 3680: a watcher is told that a phone has come, and that it has gone")
    func registration() async throws {
        let account = try await suite.makeAccount()
        let watcher = try await suite.calling(
            account.number,
            .caller(
                .watches(1, "reg", seconds: 600), .gets("NOTIFY", in: "state=.init."), .gets("NOTIFY", in: "sip:desk@"), .gets("NOTIFY", in: "unregistered"),
                .subscribes(3, to: "reg", seconds: 0), Self.isOver("reg")))
        try await watcher.traces("state=\"init\"", in: suite)
        let desk = "<sip:desk@[local_ip]:[local_port]>"
        try await Sipp(.caller(.registers(1, [desk], lists: ["sip:desk@"])), as: account, in: suite).succeeds()
        try await watcher.traces("event=\"registered\"", in: suite)
        try await Sipp(.caller(.registers(1, ["*"], seconds: 0)), as: account, in: suite).succeeds()
        try await watcher.succeeds()
    }
}
