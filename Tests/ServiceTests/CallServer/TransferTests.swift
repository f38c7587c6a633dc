import Addresses
import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

@Suite("RFC 5589: transfers that phones ask for") struct TransferTests {
    /// 1001 talks with 1002.
    private func talking() throws -> (CallWorld, caller: String, callee: String) {
        let (world, caller, callee) = try CallWorld.talking()
        #expect(world.legs[caller]?.bridgedChild == callee && world.talking == [caller, callee])
        return (world, caller, callee)
    }

    private func refer(to number: String = "1003", silent: Bool = false) -> LegEvent {
        .referred(Leg.Referral(id: 7, number: number, isSilent: silent))
    }

    private func newcomer(_ world: CallWorld, besides known: String...) throws -> String {
        try #require(world.legs.keys.first { !known.contains($0) })
    }

    @Test("§6: the callee transfers: 202, progress by NOTIFY, and with the answer it leaves and the new party talks in its stead")
    func calleeTransfers() throws {
        var (world, caller, callee) = try talking()
        world.handle(callee, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        #expect(world.legs[third]?.record.to == "1003" && world.legs[third]?.record.from == "1001")
        #expect(world.sent[caller]?.last == "hears ringing")
        world.handle(third, .rang(branch: 0))
        world.answer(third)
        world.settle()
        #expect(world.sent[callee] == ["INVITE", "REFER 202", "NOTIFY 100", "NOTIFY 180", "NOTIFY 200", "BYE"])
        #expect(world.legs[caller]?.bridgedChild == third && world.talking == [caller, third])
        #expect(world.members(ofRoomOf: caller) == [caller, third])
        // No SIP went to the phone that stays.
        #expect(world.sent[caller]?.filter { $0.contains("offer") || $0 == "BYE" } == [])
        world.leave(third)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.sent[caller]?.last == "BYE" && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("§6: the caller transfers: its flow is over, and who stays is the first of a call of two")
    func callerTransfers() throws {
        var (world, caller, callee) = try talking()
        world.handle(caller, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        #expect(world.legs[third]?.record.from == "1002" && world.sent[callee]?.last == "hears ringing")
        world.answer(third)
        world.settle()
        #expect(world.sent[caller]?.suffix(4) == ["REFER 202", "NOTIFY 100", "NOTIFY 200", "BYE"])
        #expect(world.talking == [callee, third] && world.members(ofRoomOf: callee) == [callee, third])
        #expect(world.legs[callee]?.record.parentCallID == nil && world.legs[third]?.record.parentCallID == callee)
        // And once more, from there.
        world.handle(third, refer(to: "1004"))
        world.settle()
        let fourth = try newcomer(world, besides: caller, callee, third)
        world.answer(fourth)
        world.settle()
        #expect(world.talking == [callee, fourth] && world.members(ofRoomOf: callee) == [callee, fourth])
        world.leave(callee)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.sent[fourth]?.last == "BYE" && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("§6.3: a new party that refuses leaves all as it was, and who transfers hears why", arguments: [true, false])
    func refused(byCaller: Bool) throws {
        var (world, caller, callee) = try talking()
        let by = byCaller ? caller : callee
        world.handle(by, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        world.refuse(third, code: 486)
        world.settle()
        #expect(world.sent[by]?.last == "NOTIFY 486")
        #expect(world.talking == [caller, callee] && world.members(ofRoomOf: caller) == [caller, callee])
        // The next transfer is another.
        world.handle(by, refer(to: "1004"))
        world.settle()
        world.pass(.seconds(6))
        #expect(world.legs.values.contains { $0.record.to == "1004" } && world.legs[third] == nil)
    }

    @Test("§6.1: who transfers may hang up before the answer", arguments: [true, false])
    func leavesEarly(byCaller: Bool) throws {
        var (world, caller, callee) = try talking()
        let (by, stays) = byCaller ? (caller, callee) : (callee, caller)
        world.handle(by, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        world.leave(by)
        world.settle()
        #expect(world.legs[stays]?.phase == .up && world.legs[third]?.isEnded == false)
        world.answer(third)
        world.settle()
        #expect(world.talking == [stays, third] && world.members(ofRoomOf: stays) == [stays, third])
        world.leave(stays)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("with nobody to go back to, a new party that cannot be reached ends the call", arguments: [true, false])
    func leavesInVain(byCaller: Bool) throws {
        var (world, caller, callee) = try talking()
        world.handle(byCaller ? caller : callee, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        world.leave(byCaller ? caller : callee)
        world.settle()
        world.refuse(third, code: 480)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.talking.isEmpty && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("who is to be transferred hangs up: nobody is rung for nobody", arguments: [true, false])
    func staysNot(byCaller: Bool) throws {
        var (world, caller, callee) = try talking()
        world.handle(byCaller ? caller : callee, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        world.leave(byCaller ? callee : caller)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.sent[third]?.contains("CANCEL") == true && world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("RFC 4488: no NOTIFY where none is wanted; a second REFER meanwhile is 491; without a partner it is 603")
    func refusals() throws {
        var (world, _, callee) = try talking()
        world.handle(callee, refer(silent: true))
        world.handle(callee, refer())
        world.settle()
        #expect(world.sent[callee]?.suffix(2) == ["REFER 202", "REFER 491"])
        var (alone, _) = LegFixture.answered(performing: .answer)
        let effects = alone.apply(refer())
        #expect(effects.contains { if case .respondToRefer(603) = $0 { true } else { false } })
    }

    @Test("RFC 6665 §4.1.2.3, §4.2.2: who subscribes no more, or refuses a NOTIFY, hears no more; the transfer goes on")
    func unsubscribed() throws {
        for refuses in [true, false] {
            var (world, caller, callee) = try talking()
            world.handle(callee, refer())
            world.settle()
            let third = try newcomer(world, besides: caller, callee)
            world.handle(callee, .subscribed(seconds: 60))
            world.handle(callee, refuses ? .noticeRefused(7) : .subscribed(seconds: 0))
            world.handle(third, .rang(branch: 0))
            world.answer(third)
            world.settle()
            #expect(world.sent[callee] == ["INVITE", "REFER 202", "NOTIFY 100", "NOTIFY 100"] + (refuses ? ["BYE"] : ["last NOTIFY 100", "BYE"]))
            #expect(world.talking == [caller, third])
        }
    }

    /// What the engine does for a REFER with Replaces: 1001 has 1002 on one line and, in a call of its own or of the other's, 1003.
    private func attended(byCaller: Bool, otherByCaller: Bool) throws {
        var world = CallWorld()
        let first = world.call(from: byCaller ? "1001" : "1002", to: byCaller ? "1002" : "1001")
        world.settle()
        let firstChild = try #require(world.child(of: first))
        world.answer(firstChild)
        let second = world.call(from: otherByCaller ? "1001" : "1003", to: otherByCaller ? "1003" : "1001")
        world.settle()
        let secondChild = try #require(world.child(of: second))
        world.answer(secondChild)
        world.settle()
        let (by, stays) = byCaller ? (first, firstChild) : (firstChild, first)
        let (other, partner) = otherByCaller ? (second, secondChild) : (secondChild, second)
        world.handle(by, .partnersJoined(by: Leg.Referral(id: 9, number: "1003")))
        let seat = try #require(world.legs[first]?.seat)
        let arrival = Leg.Arrival(first: first, replaces: by, leaves: other)
        world.handle(partner, .arrivalWanted(arrival, roomID: seat.roomID, instance: seat.instance))
        // Nobody leaves before it is there.
        #expect(world.talking == [stays, partner, by, other])
        world.settle()
        #expect(world.talking == [stays, partner])
        #expect(world.sent[by]?.suffix(4) == ["REFER 202", "NOTIFY 100", "NOTIFY 200", "BYE"] && world.sent[other]?.last == "BYE")
        #expect(world.members(ofRoomOf: stays) == [stays, partner])
        world.pass(.seconds(10))
        world.leave(stays)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.talking.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("§7: attended, whoever called whom", arguments: [true, false], [true, false])
    func attendedTransfers(byCaller: Bool, otherByCaller: Bool) throws { try attended(byCaller: byCaller, otherByCaller: otherByCaller) }

    @Test("RFC 3891: a phone takes another's place in a call, and picks up what rings elsewhere", arguments: [true, false])
    func replaces(isUp: Bool) throws {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002")
        world.settle()
        let callee = try #require(world.child(of: caller))
        if isUp { world.answer(callee) }
        world.settle()
        let newcomer = world.call(from: "1003", to: "1002") { leg in
            leg.takesPlaceOf = callee
            leg.wantsAnswer = true
            leg.record.parentCallID = caller
            leg.seat.roomID = "room_" + caller.dropFirst(5)
        }
        world.settle()
        #expect(world.sent[newcomer] == ["200", "final"] && world.sent[callee]?.last == (isUp ? "BYE" : "CANCEL"))
        #expect(world.talking == [caller, newcomer] && world.members(ofRoomOf: caller) == [caller, newcomer])
        world.leave(newcomer)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("RFC 3911: a phone joins two who talk; it goes with the call, and the call goes on without it", arguments: [true, false])
    func joins(leavesFirst: Bool) throws {
        var (world, caller, callee) = try talking()
        let newcomer = world.call(from: "1003", to: "1002") { leg in
            leg.joins = true
            leg.wantsAnswer = true
            leg.record.parentCallID = caller
            leg.seat.roomID = "room_" + caller.dropFirst(5)
        }
        world.settle()
        #expect(world.sent[newcomer] == ["200", "final"] && world.members(ofRoomOf: caller) == [caller, callee, newcomer])
        #expect(world.legs[caller]?.bridgedChild == callee && world.legs[caller]?.children == [callee, newcomer])
        world.leave(leavesFirst ? newcomer : caller)
        world.settle()
        if leavesFirst { #expect(world.talking == [caller, callee]) } else { #expect(world.talking.isEmpty) }
        world.leave(caller)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("RFC 3911 §4: a phone joins one that rings: it hears ringing, then both who talk; it is not left when nobody answers", arguments: [true, false])
    func joinsEarly(answers: Bool) throws {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002")
        world.settle()
        let callee = try #require(world.child(of: caller))
        world.handle(callee, .rang(branch: 0))
        world.settle()
        let newcomer = world.call(from: "1003", to: "1002") { leg in
            leg.joins = true
            leg.wantsAnswer = true
            leg.record.parentCallID = caller
            leg.seat.roomID = "room_" + caller.dropFirst(5)
        }
        world.settle()
        #expect(world.sent[newcomer] == ["200", "final", "hears ringing"] && world.sent[caller] == ["180"])
        if answers {
            world.answer(callee)
            world.settle()
            #expect(world.playing.isEmpty && world.members(ofRoomOf: caller) == [caller, callee, newcomer])
            #expect(world.legs[caller]?.bridgedChild == callee && world.talking == [caller, callee, newcomer])
            world.leave(caller)
        } else {
            world.refuse(callee, code: 486)
        }
        world.settle()
        world.pass(.seconds(10))
        world.settle()
        #expect(world.talking.isEmpty && world.sent[newcomer]?.last == "BYE")
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("RFC 3911 §4: a dialog that is none means nothing to who has dialled a conference, and is 481 to all others")
    func joinsNothing() {
        var conference = ConferenceJoin()
        conference.conferenceID = "conf_1"
        for (event, code) in [
            (LegEvent.resolved(flowID: nil, defaultActions: [Action(id: "c", .conferenceJoin(conference))]), nil),
            (.resolved(flowID: nil, defaultActions: [Action(id: "c", .connect(Connect()))]), 481), (.resolved(flowID: "flow_1", defaultActions: []), 481),
            (.unresolved(RPCError(.notFound)), 481),
        ] as [(LegEvent, Int?)] {
            var fixture = LegFixture.inbound()
            fixture.leg.joinsNothing = true
            _ = fixture.apply(.invited(offer: "their sdp", number: "800"))
            #expect(fixture.apply(event).responses == (code.map { [$0] } ?? []))
        }
    }

    @Test("to a number that runs a flow: who stays goes on with that, whoever of the two transfers, and who transfers is told 200 and goes", arguments: [true, false])
    func toFlow(byCaller: Bool) throws {
        var (world, caller, callee) = try talking()
        let (leaving, staying) = byCaller ? (caller, callee) : (callee, caller)
        var referral = Leg.Referral(id: 7, number: "700")
        referral.program = Leg.Program(actions: [Action(id: "echo", .echo(.init()))])
        world.handle(leaving, .referred(referral))
        world.settle()
        #expect(world.sent[leaving]?.suffix(4) == ["REFER 202", "NOTIFY 100", "NOTIFY 200", "BYE"])
        let left = try #require(world.legs[staying])
        #expect(!left.isEnded && left.record.parentCallID == nil && left.bridgedChild == nil && left.children.isEmpty)
        #expect(left.program?.actions?.first?.id == "echo" && left.program?.isStarted == true)
        #expect(world.members(ofRoomOf: staying) == [staying])
        world.leave(staying)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty))
    }

    @Test("who dies while the caller sends its partner to a flow has a successor that sends it, or finds it sent; one that cannot go is not sent")
    func toFlowByMany() throws {
        var (world, caller, callee) = try talking()
        var referral = Leg.Referral(id: 7, number: "700")
        referral.program = Leg.Program(actions: [Action(id: "echo", .echo(.init()))])
        var leaving = try #require(world.legs[caller])
        _ = leaving.apply(.referred(referral), at: world.moment)
        guard case .perform(.tellChild(callee, .sentOn))? = leaving.sendingAgain({ world.legs[$0] }) else {
            Issue.record("it is not sent again")
            return
        }
        var moving = try #require(world.legs[callee])
        moving.seat.stage = .joining
        let program = try #require(referral.program)
        let refused = moving.apply(.sentOn(program, counted: nil, end: nil), at: world.moment)
        #expect(refused.toldParent.contains { if case .referralTold(603) = $0 { true } else { false } } && moving.record.parentCallID == caller)
        world.handle(caller, .referred(referral))
        world.settle()
        #expect(leaving.sendingAgain { world.legs[$0] } == nil)
        let steps = leaving.reunion(with: { world.legs[$0] }, absence: { _ in nil })
        #expect(steps.contains { if case .tell(caller, .partnerSent(callee)) = $0 { true } else { false } })
    }

    @Test("who dies between the 202 and the first leg's hearing of it has a successor that tells it; of what has begun it tells nothing")
    func acceptedOnly() throws {
        var (world, caller, callee) = try talking()
        let before = try #require(world.legs[caller])
        world.handle(callee, refer())
        let transferring = try #require(world.legs[callee])
        guard case .transferWanted(let by, "1003", nil, "1002")? = transferring.transferAgain(of: before) else {
            Issue.record("the transfer is lost")
            return
        }
        #expect(by == callee)
        world.settle()
        #expect(try #require(world.legs[callee]).transferAgain(of: try #require(world.legs[caller])) == nil)
        var attended = transferring
        attended.referral?.isAttended = true
        #expect(attended.transferAgain(of: before) == nil)
    }

    @Test("a successor tells again how far the transfer is, and makes the same leg")
    func resumed() throws {
        var (world, caller, callee) = try talking()
        world.handle(callee, refer())
        world.settle()
        let third = try newcomer(world, besides: caller, callee)
        var leg = try JSON.roundTrip(try #require(world.legs[callee]))
        let told = leg.resume(offer: nil, at: world.moment)
        #expect(!told.contains { if case .notifyAgain = $0 { true } else { false } }, "the phone has it")
        var layer = TransactionLayer(sentBy: SocketAddress(IPAddress.loopbackIPv4, port: 5_060), seed: 1)
        leg.sip.notice = SIPState.Notice(sent: SIPState.Sent(name: layer.newName(), sequence: 3), code: 100, referral: 7)
        #expect(leg.resume(offer: nil, at: world.moment).contains { if case .notifyAgain = $0 { true } else { false } })
        let first = try JSON.roundTrip(try #require(world.legs[caller]))
        guard case .createChild(let order)? = first.childAgain(third) else {
            Issue.record("the new party is not rung again")
            return
        }
        #expect(order.id == third && order.number == "1003" && order.place?.roomID == first.seat.roomID && order.referredBy == "1002")
    }
}
