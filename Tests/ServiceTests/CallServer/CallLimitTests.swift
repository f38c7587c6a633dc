import Cache
import Contracts
import Deadlines
import Testing

@testable import CallServer

@Suite("Calls: limits")
struct CallLimitTests {
    private static let time = Timestamp(milliseconds: 1_800_000_000_000)

    private static func limit(
        _ scope: CallLimit.Scope, _ target: String? = nil, of customer: String = "cust_1", calls: Int? = nil, rate: Int? = nil, seconds: Int? = nil
    ) -> CallLimit {
        CallLimit(
            id: "lim_1", customerID: customer, scope: scope, target: target, concurrentCalls: calls, callsPerSecond: rate, maxCallSeconds: seconds,
            createdAt: time, updatedAt: time)
    }

    private func keys(_ table: CallLimitTable, _ counted: Leg.Counted, of customer: String = "cust_1") -> [String] {
        table.bounds(on: counted, of: customer).map(\.bound.key)
    }

    @Test("a call falls under its customer's limit, its trunk's, its number's and those of all beginnings of the number")
    func applies() {
        let table = CallLimitTable(
            [
                Self.limit(.customer, calls: 3), Self.limit(.trunk, "west", calls: 2), Self.limit(.destination, "+4930*", calls: 1),
                Self.limit(.destination, "+4930123", rate: 1), Self.limit(.destination, "*", rate: 9), Self.limit(.destination, "+49301234", calls: 0),
                Self.limit(.trunk, "west", of: "cust_2", calls: 7),
            ], defaults: .init())
        #expect(
            keys(table, .init(isCall: true, trunk: "west", destination: "+4930123"))
                == ["customer:cust_1", "trunk:cust_1:west", "destination:cust_1:+4930123", "destination:cust_1:*", "destination:cust_1:+4930*"])
        #expect(keys(table, .init(isCall: true, trunk: "east", destination: "+4931")) == ["customer:cust_1", "destination:cust_1:*"])
        #expect(keys(table, .init(isCall: false, destination: "+4930")) == ["destination:cust_1:*", "destination:cust_1:+4930*"])
        #expect(keys(table, .init(isCall: false, destination: nil)).isEmpty, "who is counted with its caller")
        #expect(keys(table, .init(isCall: true, trunk: "west", destination: "+4930123"), of: "cust_2") == ["trunk:cust_2:west"])
    }

    @Test("a customer without a limit has the installation's; a limit's null means that, and 0 none at all")
    func defaults() {
        let defaults = CallLimitTable.Defaults(concurrentCalls: 100, callsPerSecond: 10)
        let call = Leg.Counted(isCall: true, destination: "1")
        func bound(_ limits: [CallLimit]) -> Allowances.Bound? { CallLimitTable(limits, defaults: defaults).bounds(on: call, of: "cust_1").first?.bound }
        #expect(bound([]) == .init(key: "customer:cust_1", atOnce: 100, perSecond: 10))
        #expect(bound([Self.limit(.customer, calls: 0)]) == .init(key: "customer:cust_1", atOnce: 0, perSecond: 10))
        #expect(bound([Self.limit(.customer, rate: 500)]) == .init(key: "customer:cust_1", atOnce: 100, perSecond: 500))
        #expect(CallLimitTable([], defaults: .init()).bounds(on: call, of: "cust_1").isEmpty, "nothing is counted")
        #expect(CallLimitTable([Self.limit(.customer, seconds: 60)], defaults: .init()).bounds(on: call, of: "cust_1").first?.maxCallSeconds == 60)
    }

    @Test(
        "what is over is refused: busy where a number's lines are taken, else temporarily unavailable with the cause that says why",
        arguments: [
            (Leg.OverLimit(scope: .customer, isRate: false), 480, 34, Call.Status.failed, "limit_customer_calls", nil),
            (.init(scope: .customer, isRate: true), 480, 42, .failed, "limit_customer_rate", 1),
            (.init(scope: .trunk, target: "west", isRate: false), 480, 34, .failed, "limit_trunk_calls", nil),
            (.init(scope: .destination, target: "700", isRate: false), 486, 17, .busy, "limit_destination_calls", nil),
            (.init(scope: .destination, target: "700", isRate: true), 480, 42, .failed, "limit_destination_rate", 1),
        ] as [(Leg.OverLimit, Int, Int, Call.Status, String, Int?)])
    func refusal(over: Leg.OverLimit, code: Int, cause: Int, status: Call.Status, reason: String, retryAfter: Int?) {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "1002"))
        #expect(fixture.apply(.overLimit(over)).responses == [code])
        let record = fixture.leg.record
        #expect(record.sipCode == code && record.hangupCause == cause && record.status == status && record.hangupReason == reason)
        #expect(fixture.leg.retryAfter == retryAfter)
        let late = fixture.apply(.mediaCreated(.init(description: "our sdp", inside: LegFixture.inside)))
        #expect(late.deletesMedia, "the session that was on its way goes again")
    }

    @Test("a call is not answered before it is known that there is room for it, however long Redis takes")
    func waits() {
        var fixture = LegFixture.inbound()
        fixture.leg.awaitsAdmission = true
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        #expect(fixture.step(1, .answer).responses.isEmpty)
        var refused = fixture
        #expect(refused.apply(.overLimit(.init(scope: .customer, isRate: false))).responses == [480])
        let admitted = fixture.apply(.admitted)
        #expect(admitted.responses == [200] && admitted.outcomes == [.completed], "and the flow goes on")
    }

    @Test("a call that rings a number whose lines are taken tells its caller that it is busy, and invites nobody")
    func busyChild() {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        let effects = fixture.apply(.overLimit(.init(scope: .destination, target: "1002", isRate: false)))
        #expect(effects.invitedBranches.isEmpty)
        let told = effects.toldParent.contains {
            if case .childEnded(_, let status, .busy) = $0 { status == Leg.Status(code: 486, cause: 17) } else { false }
        }
        #expect(told)
    }

    /// 1001 calls 1002, and is let in under a limit of ten minutes.
    private func talking() throws -> (CallWorld, caller: String, callee: String) {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002") { leg in
            leg.counted = Leg.Counted(isCall: true, trunk: "west", destination: "1002")
            leg.limits.duration = .seconds(600)
        }
        world.settle()
        let callee = try #require(world.child(of: caller))
        world.legs[callee]?.counted = Leg.Counted(isCall: false)
        world.answer(callee)
        world.settle()
        return (world, caller, callee)
    }

    private func calls(of world: CallWorld) -> [String] { world.legs.values.filter { !$0.isEnded && $0.counted?.isCall == true }.map(\.record.id) }

    @Test("a call whose first leg leaves it counts once more as before, under whoever stays, for the number that one has, and ends when it would have", arguments: [true, false])
    func inherited(leavesEarly: Bool) throws {
        var (world, caller, callee) = try talking()
        world.handle(caller, .referred(Leg.Referral(id: 7, number: "1003")))
        world.settle()
        let third = try #require(world.legs.keys.first { $0 != caller && $0 != callee })
        if leavesEarly { world.leave(caller) }
        world.settle()
        world.answer(third)
        world.settle()
        #expect(calls(of: world) == [callee] && world.talking == [callee, third])
        #expect(world.legs[callee]?.counted == Leg.Counted(isCall: true, destination: "1002"), "the trunk's channel is free")
        world.pass(.seconds(590))
        world.settle()
        #expect(world.talking == [callee, third])
        world.pass(.seconds(15))
        world.settle()
        #expect(world.talking.isEmpty && world.sent[third]?.last == "BYE")
    }

    @Test("a first leg that goes to talk in another call is a part of that one")
    func merged() throws {
        var (world, caller, callee) = try talking()
        let other = world.call(from: "1003", to: "1001") { $0.counted = Leg.Counted(isCall: true, destination: "1001") }
        world.settle()
        let second = try #require(world.child(of: other))
        world.answer(second)
        world.settle()
        #expect(Set(calls(of: world)) == [caller, other])
        world.handle(caller, .partnersJoined(by: Leg.Referral(id: 9, number: "1003")))
        let seat = try #require(world.legs[caller]?.seat)
        world.handle(
            other, .arrivalWanted(Leg.Arrival(first: caller, replaces: caller, leaves: second), roomID: seat.roomID, instance: seat.instance))
        world.settle()
        #expect(world.talking == [callee, other] && calls(of: world) == [callee])
    }

    @Test("what is told twice counts once; one of an older version passes nothing on")
    func twice() {
        var fixture = LegFixture.outbound()
        fixture.leg.counted = Leg.Counted(isCall: false, destination: "1002")
        fixture.leg.deadlines[.duration] = fixture.moment.now + .seconds(100)
        let end = fixture.moment.now + .seconds(50)
        let former = Leg.Counted(isCall: true, destination: "700")
        let bequest = Leg.Bequest(heir: fixture.leg.record.id, newcomer: "call_new", number: "1003", isThere: true, counted: former, end: end)
        for _ in 0..<2 { _ = fixture.apply(.inherited(bequest)) }
        #expect(fixture.leg.counted == Leg.Counted(isCall: true, destination: "1002") && fixture.leg.deadlines[.duration] == end)
        var other = LegFixture.outbound()
        let effects = other.apply(.inherited(Leg.Bequest(heir: other.leg.record.id, newcomer: "call_new", number: "1003", isThere: true)))
        #expect(other.leg.counted == nil && !effects.contains { if case .recount = $0 { true } else { false } })
    }

    @Test("one that is up was let in, whatever comes late")
    func late() {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        #expect(fixture.apply(.overLimit(.init(scope: .customer, isRate: false))).isEmpty)
        #expect(fixture.leg.phase == .up)
    }
}
