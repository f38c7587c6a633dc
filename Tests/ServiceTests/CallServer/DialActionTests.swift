import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("dial: rounds, time limits, who is shown, confirmation and whisper") struct DialActionTests {
    private func dial(_ numbers: [String], _ change: (inout Flow.Dial) -> Void = { _ in }) -> Action.Kind {
        var option = Flow.Dial()
        option.targets = numbers.map {
            var target = Flow.Dial.Target()
            target.target = $0
            return target
        }
        change(&option)
        return .dial(option)
    }

    /// An inbound leg that is not answered yet.
    private func ringing(_ kind: Action.Kind) -> (LegFixture, [LegEffect]) {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        let effects = fixture.step(1, kind)
        return (fixture, effects)
    }

    private let busy = Leg.Status(code: 486, cause: 17)
    private let gone = Leg.Status(code: 408, cause: 19)

    @Test("all at once: each rings for its own time, the first that answers cancels the others")
    func all() {
        var (fixture, effects) = ringing(dial(["1", "2"]) { $0.targets[1].timeout = 5000 })
        let orders = effects.orders
        #expect(orders.map(\.number) == ["1", "2"])
        #expect(orders.map(\.ring) == [.seconds(30), .seconds(5)])
        #expect(orders.allSatisfy { $0.callerNumber == "1001" && $0.screening == nil })
        #expect(fixture.apply(.childRang(orders[0].id)).responses == [180])
        effects = fixture.apply(.childAnswered(orders[1].id))
        #expect(effects.toldChildren == [orders[0].id])
        #expect(effects.responses == [200])
        #expect(fixture.apply(.childEnded(orders[0].id, Leg.Status(code: 487, cause: 16), .canceled)).outcomes.isEmpty)
        let outcome = fixture.apply(.childEnded(orders[1].id, Leg.Status(code: 200, cause: 16), .completed)).outcomes.first
        #expect(outcome?.result == .completed)
        #expect(outcome?.data?["number"] == "2")
        #expect(outcome?.data?["attempts"]?.array?.map { $0["result"]?.string } == ["canceled", "completed"])
    }

    @Test("in order: the next rings when the one before has ended; the last tells how it ended")
    func inOrder() {
        var (fixture, effects) = ringing(dial(["1", "2"]) { $0.strategy = .inOrder })
        let first = effects.orders
        #expect(first.map(\.number) == ["1"])
        effects = fixture.apply(.childEnded(first[0].id, gone, .noAnswer))
        #expect(effects.outcomes.isEmpty)
        let second = effects.orders
        #expect(second.map(\.number) == ["2"] && second[0].id != first[0].id)
        let outcome = fixture.apply(.childEnded(second[0].id, busy, .busy)).outcomes.first
        #expect(outcome?.result == .busy)
        #expect(outcome?.data?["attempts"]?.array?.map { $0["number"]?.string } == ["1", "2"])
    }

    @Test("groups: the lowest first, all of it at once; who cannot be reached from here is an attempt as well")
    func groups() {
        let kind = dial(["1", "2", "3"]) {
            $0.strategy = .groups
            $0.targets[0].group = 2
            $0.targets[1].kind = .whatsapp
        }
        var (fixture, effects) = ringing(kind)
        let first = effects.orders
        #expect(first.map(\.number) == ["3"])
        effects = fixture.apply(.childEnded(first[0].id, busy, .busy))
        #expect(effects.orders.map(\.number) == ["1"])
        let (_, nobody) = ringing(dial(["1"]) { $0.targets[0].kind = .whatsapp })
        #expect(nobody.outcomes.map(\.result) == [.failed])
        #expect(nobody.outcomes.map(\.code) == ["404"])
    }

    @Test("Who is called sees whom the flow says", arguments: [
        (Flow.Dial.CallerID.caller, "1001"), (.called, "1002"), (.anonymous, "anonymous"), (.source, "4711"),
    ])
    func callerID(policy: Flow.Dial.CallerID, number: String) {
        let (_, effects) = ringing(dial(["1"]) {
            $0.callerID = policy
            $0.source = Address(kind: .tel, target: "4711", name: "Desk")
        })
        #expect(effects.orders.map(\.callerNumber) == [number])
    }

    @Test("An answered caller hears tone, music, a sound or nothing while it rings")
    func ringback() {
        #expect(LegFixture.answered(performing: .answer).1.plays.isEmpty)
        #expect(LegFixture.answered(performing: dial(["1"])).1.plays.isEmpty, "its own phone rings until it is answered")
        var (fixture, _) = LegFixture.answered(performing: .beep)
        #expect(fixture.step(2, dial(["1"])).plays == [[.ringback]])
        #expect(fixture.step(3, dial(["1"]) { $0.ringback = .music }).plays == [[.music]])
        #expect(fixture.step(4, dial(["1"]) { $0.ringback = .none }).plays.isEmpty)
        #expect(fixture.step(5, dial(["1"]) { $0.ringbackURL = "ring.wav" }).plays == [[.url("ring.wav")]])
    }

    @Test("A leg that is taken over while its second target rings goes on there")
    func snapshot() throws {
        var (fixture, effects) = ringing(dial(["1", "2"]) { $0.strategy = .inOrder })
        effects = fixture.apply(.childEnded(effects.orders[0].id, gone, .noAnswer))
        let second = effects.orders
        fixture.leg = try JSON.roundTrip(fixture.leg)
        #expect(fixture.apply(.childEnded(second[0].id, busy, .busy)).outcomes.map(\.result) == [.busy])
    }

    // MARK: Who is called

    private func screened(_ change: (inout Flow.Dial) -> Void) -> (LegFixture, [LegEffect]) {
        var option = Flow.Dial()
        change(&option)
        var fixture = LegFixture.outbound()
        fixture.leg.screening = Leg.Screening(option, roomID: "room_caller", instance: "mixer-1")
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.apply(.mediaCreated(.init(description: "our sdp", inside: LegFixture.inside)))
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: fixture.leg.seat.roomID, instance: "mixer-1", inside: LegFixture.inside))
        _ = fixture.apply(.linked(seat: fixture.leg.seat.number))
        _ = fixture.apply(.found([ReachableBinding(contact: "sip:1002@127.0.0.1:5062", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)]))
        _ = fixture.apply(.accepted(branch: 0, answer: "their sdp"))
        let effects = fixture.apply(.mediaUpdated(.init(description: nil, held: false), kind: .answer))
        return (fixture, effects)
    }

    private func play(_ effects: [LegEffect]) -> String { effects.compactMap { if case .play(let id, _, _, _) = $0 { id } else { nil } }.last ?? "" }

    @Test("Confirmed by a key, told, moved to the caller's room, and only then joined")
    func confirmed() {
        var (fixture, effects) = screened { ($0.confirmText, $0.whisperText) = ("Press one", "A sales call") }
        #expect(effects.plays == [[.speech(text: "Press one", language: nil)]])
        #expect(effects.toldParent.isEmpty)
        #expect(fixture.apply(.digit("5")).outcomes.isEmpty)
        effects = fixture.apply(.digit("1"))
        #expect(effects.plays == [[.speech(text: "A sales call", language: nil)]])
        #expect(effects.toldParent.isEmpty)
        effects = fixture.apply(.playFinished(playID: play(effects), .completed))
        #expect(effects.joined.map(\.roomID) == ["room_caller"])
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_caller", instance: "mixer-1", inside: LegFixture.inside))
        effects = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(effects.toldParent.count == 1)
        #expect(fixture.leg.digits.isEmpty)
        #expect(fixture.pass(.seconds(120)).toldParent.isEmpty, "nothing is due any more")
    }

    @Test("Not confirmed in time: hung up, and the caller's flow hears that nobody answered")
    func unconfirmed() {
        var (fixture, effects) = screened { ($0.confirmText, $0.confirmTimeout) = ("Press one", 4000) }
        _ = fixture.apply(.playFinished(playID: play(effects), .completed))
        effects = fixture.pass(.seconds(4))
        #expect(effects.hasBye)
        guard case .childEnded(_, let status, .noAnswer)? = effects.toldParent.first else { return #expect(Bool(false)) }
        #expect(status.code == 480)
    }

    @Test("A place in the caller's room that is never had ends the call")
    func neverJoined() {
        var (fixture, effects) = screened { $0.whisperText = "A call" }
        effects = fixture.apply(.playFinished(playID: play(effects), .completed))
        #expect(effects.joined.count == 1)
        #expect(fixture.pass(.seconds(10)).hasBye)
    }
}

extension [LegEffect] {
    var orders: [ChildOrder] { compactMap { if case .createChild(let order) = $0 { order } else { nil } } }
}
