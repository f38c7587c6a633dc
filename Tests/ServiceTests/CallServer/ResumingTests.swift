import Addresses
import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

@Suite("CallServer: a successor goes on with a leg from its snapshot") struct ResumingTests {
    /// What a successor reads.
    private func successor(of fixture: LegFixture) throws -> LegFixture {
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        next.leg.epoch += 1
        return next
    }

    private func layer() -> TransactionLayer { TransactionLayer(sentBy: SocketAddress(IPAddress.loopbackIPv4, port: 5_060), seed: 1) }

    static func received() throws -> SIPState.Received {
        let lines = [
            "INVITE sip:700@demo.localhost SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa", "From: <sip:1001@demo.localhost>;tag=a",
            "To: <sip:700@demo.localhost>", "Call-ID: c", "CSeq: 1 INVITE", "Contact: <sip:1001@127.0.0.1:5062>", "Content-Length: 0", "", "",
        ]
        return SIPState.Received(try Message.parse(Array(lines.joined(separator: "\r\n").utf8)), from: SocketAddress(IPAddress.loopbackIPv4, port: 5_062))
    }

    @Test("a call that has just come is begun again: session, number, and later its flow")
    func beginning() throws {
        var fixture = LegFixture.inbound()
        fixture.leg.sip.invite = try Self.received()
        fixture.leg.sip.dialled = "700"
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        var next = try successor(of: fixture)
        let effects = next.leg.resume(offer: "their sdp", at: next.moment)
        #expect(effects.createdMedia == ["their sdp"])
        #expect(effects.resolved == ["700"])
        #expect(effects.responses.isEmpty)
        #expect(next.apply(.resolved(flowID: "flow_1", defaultActions: [])).startsRun)
    }

    @Test("the 200 goes out again until it is acknowledged; the phone hears nothing of a call that is up")
    func answered() throws {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        fixture.leg.sip.invite = try Self.received()
        var next = try successor(of: fixture)
        #expect(next.leg.resume(offer: "their sdp", at: next.moment).responses == [200])
        fixture.leg.sip.invite = nil
        next = try successor(of: fixture)
        let effects = next.leg.resume(offer: nil, at: next.moment)
        #expect(effects.allSatisfy { !$0.isVisibleOutside })
        #expect(effects.owns == ["media", "seat"])
    }

    @Test("keys and time count on: what was pressed is there, what was left of the time is left")
    func gathering() throws {
        var option = DigitsReceive()
        (option.length, option.duration) = (3, 10_000)
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(option))
        _ = fixture.apply(.digit("1"))
        var next = try successor(of: fixture)
        _ = next.leg.resume(offer: nil, at: next.moment)
        #expect(next.apply(.digit("2")).outcomes.isEmpty)
        #expect(next.apply(.digit("3")).outcomes == [.digits("123")])
        var late = try successor(of: fixture)
        _ = late.leg.resume(offer: nil, at: late.moment)
        #expect(late.pass(.milliseconds(9_900)).outcomes.isEmpty)
        #expect(late.pass(.milliseconds(200)).outcomes == [.digits("1")])
    }

    @Test("an outcome that nobody acknowledged is told again, a prompt is played under its name")
    func flow() throws {
        var (fixture, began) = LegFixture.answered(performing: .beep)
        #expect(began.plays.count == 1)
        var next = try successor(of: fixture)
        #expect(next.leg.resume(offer: nil, at: next.moment).plays == began.plays)
        let playID = try #require(fixture.leg.performing?.playID)
        let told = fixture.apply(.playFinished(playID: playID, .completed)).outcomes
        #expect(told.count == 1)
        next = try successor(of: fixture)
        #expect(next.leg.resume(offer: nil, at: next.moment).outcomes == told)
    }

    @Test("phones that ring are asked under the same names, those that were not needed are cancelled, and none long after")
    func ringing() throws {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.apply(.mediaCreated(.init(description: "our sdp", inside: LegFixture.inside)))
        let phones = ["one", "two", "three"].map { ReachableBinding(contact: "sip:\($0)@127.0.0.1:5070", path: ["<sip:t@127.0.0.1:5060;lr>"], q: 1_000, expiresAt: Timestamp(milliseconds: 1_900_000_000_000), instanceID: nil) }
        let invited = fixture.apply(.found(phones)).invitedBranches
        #expect(invited == [0, 1, 2])
        var layer = layer()
        for branch in invited { fixture.leg.sip.branches[branch] = .init(callID: "c\(branch)", localTag: "t", name: layer.newName()) }
        _ = fixture.apply(.refused(branch: 2, code: 486))
        var next = try successor(of: fixture)
        let again = next.leg.resume(offer: nil, at: next.moment)
        #expect(again.invitedAgain == [0, 1] && again.invitedBranches.isEmpty && again.canceledBranches.isEmpty)
        _ = fixture.apply(.accepted(branch: 1, answer: "their sdp"))
        next = try successor(of: fixture)
        let won = next.leg.resume(offer: nil, at: next.moment)
        #expect(won.invitedAgain == [0] && won.canceledBranches == [0])
        fixture.leg.dial?.targets[0].isOver = true
        next = try successor(of: fixture)
        #expect(next.leg.resume(offer: nil, at: next.moment).invitedAgain.isEmpty)
    }

    @Test("what is over is told to whoever may not have heard it, and then forgotten")
    func over() throws {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        #expect(fixture.apply(.hangUp(cause: 16)).hasBye)
        var layer = layer()
        fixture.leg.sip.bye = .init(name: layer.newName(), sequence: 2)
        var next = try successor(of: fixture)
        let effects = next.leg.resume(offer: nil, at: next.moment)
        #expect(effects.saysByeAgain && effects.deletesMedia && effects.left == ["room_A@mixer-1"])
        #expect(effects.outcomes == [.callEnded])
        #expect(!next.apply(.mediaDeleted(nil)).isForgotten, "its run has not said that it knows")
        #expect(next.runEnds(after: 1).isForgotten)

        var refused = LegFixture.inbound()
        refused.leg.sip.invite = try Self.received()
        _ = refused.apply(.invited(offer: "their sdp", number: "999"))
        _ = refused.apply(.unresolved(RPCError(.notFound)))
        var after = try successor(of: refused)
        #expect(after.leg.resume(offer: "their sdp", at: after.moment).responses == [404])
    }

    @Test("a re-INVITE that was asked of the relay is asked again, one that was answered is answered again")
    func reinvited() throws {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        fixture.leg.sip.reinvite = try Self.received()
        _ = fixture.apply(.reinvited(offer: "hold"))
        fixture.leg.media.asked = .init(kind: .offer, remote: "hold")
        var next = try successor(of: fixture)
        let asked = next.leg.resume(offer: nil, at: next.moment)
        #expect(asked.updated == ["hold"] && asked.reinviteResponses.isEmpty)
        #expect(next.apply(.mediaUpdated(.init(description: "held", held: true), kind: .offer)).reinviteResponses == [200])
        _ = fixture.apply(.mediaUpdated(.init(description: "held", held: true), kind: .offer))
        next = try successor(of: fixture)
        #expect(next.leg.resume(offer: nil, at: next.moment).reinviteResponses == [200])
    }

    @Test("deadlines mean the same on the same machine whatever the clock on the wall does, and on another by that clock")
    func deadlines() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        let now = fixture.moment.now
        fixture.leg.deadlines = [.action: now + .seconds(10)]
        fixture.leg.bequest = Leg.Bequest(heir: "call_1", newcomer: "call_2", number: "1003", isThere: true, end: now + .seconds(20))
        let snapshot = LegSnapshot(fixture.leg, at: now, time: 1_000_000, boot: "one")
        #expect(snapshot.restored(at: now + .seconds(2), time: 9_000_000, boot: "one").deadlines == [.action: now + .seconds(10)])
        let elsewhere = Instant(nanoseconds: 50_000_000_000)
        let restored = snapshot.restored(at: elsewhere, time: 1_004_000, boot: "two")
        #expect(restored.deadlines == [.action: elsewhere + .seconds(6)] && restored.bequest?.end == elsewhere + .seconds(16))
    }

    @Test("a child's answer counts once, also when it is told twice")
    func childTwice() {
        var (fixture, effects) = LegFixture.answered(performing: .connect(Self.connect))
        let children = effects.createdChildren
        #expect(children.count == 1)
        _ = fixture.apply(.childAnswered(children[0]))
        #expect(fixture.apply(.childAnswered(children[0])).toldChildren.isEmpty)
        #expect(fixture.leg.bridgedChild == children[0])
        guard case .createChild(let order)? = fixture.leg.childAgain(children[0]) else {
            Issue.record("the same child is made again")
            return
        }
        #expect(order.id == children[0] && fixture.leg.childAgain("call_other") == nil)
    }

    private static var connect: Connect {
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1002")]
        return connect
    }
}

extension [LegEffect] {
    fileprivate var resolved: [String] { compactMap { if case .resolve(let number) = $0 { number } else { nil } } }
    fileprivate var startsRun: Bool { contains { if case .startRun = $0 { true } else { false } } }
    fileprivate var invitedAgain: [Int] { compactMap { if case .inviteAgain(let branch, _) = $0 { branch } else { nil } } }
    fileprivate var saysByeAgain: Bool { contains { if case .byeAgain = $0 { true } else { false } } }
    fileprivate var reinviteResponses: [Int] { compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }
    fileprivate var updated: [String] { compactMap { if case .updateMedia(_, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var owns: [String] {
        compactMap {
            switch $0 {
            case .ownMedia: "media"
            case .ownSeat: "seat"
            default: nil
            }
        }
    }
}
