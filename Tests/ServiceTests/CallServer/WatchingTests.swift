import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("An action beside which other branches go on") struct WatchingTests {
    private func watched(_ kind: Action.Kind) -> LegFixture {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        _ = fixture.apply(.step(RunStep(runID: "run_1", step: 1, action: Action(id: "a", kind), finished: nil, watch: 100)))
        return fixture
    }

    private func step(_ number: Int, _ kind: Action.Kind?, waiting: Int? = nil, watch: Int? = nil) -> RunStep {
        RunStep(runID: "run_1", step: number, action: kind.map { Action(id: "s\(number)", $0) }, finished: kind == nil && waiting == nil ? "completed" : nil, waiting: waiting, watch: watch)
    }

    private var music: Action.Kind {
        var play = Play()
        play.streamURLs = ["a.wav"]
        return .play(play)
    }

    @Test("It is asked whether it is still wanted, again and again, until it ends by itself")
    func asks() {
        var fixture = watched(music)
        #expect(fixture.pass(.milliseconds(100)).asked == 1)
        #expect(fixture.pass(.milliseconds(100)).asked == 0, "the answer is waited for")
        _ = fixture.apply(.watched(step(1, music, watch: 100)))
        #expect(fixture.pass(.milliseconds(100)).asked == 1)
        _ = fixture.apply(.watchFailed)
        #expect(fixture.pass(.seconds(1)).asked == 1)
        let ended = fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .completed))
        #expect(ended.outcomes.map(\.result) == [.completed])
        #expect(fixture.apply(.watched(step(2, .beep))).isEmpty, "an answer that comes after the end")
        #expect(fixture.pass(.seconds(1)).asked == 0)
    }

    @Test("Given up for the next step: the prompt ends, nothing is told of it, what was typed stays")
    func interrupted() {
        var fixture = watched(music)
        _ = fixture.apply(.digit("5"))
        let effects = fixture.apply(.watched(step(2, .echo(Echo()))))
        #expect(effects.outcomes.isEmpty && effects.stopsPlay && effects.echoes == [true])
        #expect(fixture.leg.digits == "5" && fixture.leg.performing?.step == 2)
        _ = fixture.apply(.watched(step(3, .beep)))
        #expect(fixture.leg.performing?.step == 2, "that one is not watched")
    }

    @Test("Given up while the next step waits for a web server: it is asked for; at the end of the run the call ends")
    func waits() {
        var fixture = watched(.echo(Echo()))
        #expect(fixture.apply(.watched(step(1, nil, waiting: 50))).echoes == [false])
        #expect(fixture.pass(.milliseconds(50)).outcomes.map(\.result) == [.canceled])
        _ = fixture.apply(.step(step(2, .beep)))
        #expect(fixture.leg.performing?.step == 2)
        fixture = watched(.echo(Echo()))
        #expect(fixture.apply(.watched(step(1, nil))).hasBye)
    }

    @Test("An answer from before the action that is performed ends nothing: what has led there was lost, and is told again (DESIGN §5)")
    func lost() {
        var fixture = watched(music)
        _ = fixture.apply(.watched(step(2, .echo(Echo()), watch: 100)))
        #expect(fixture.apply(.watched(step(1, music))).isEmpty)
        #expect(fixture.leg.performing?.step == 2)
        #expect(fixture.pass(.milliseconds(100)).asked == 1, "it is asked again")
    }

    @Test("Calls that a given up connect has made are ended, and write nothing into the next action")
    func children() {
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1"), Address(kind: .extension, target: "2")]
        var (fixture, effects) = LegFixture.answered(performing: .connect(connect))
        let first = effects.createdChildren
        // The first answers and leaves; the second is slow to learn that it is not wanted.
        _ = fixture.apply(.childAnswered(first[0]))
        _ = fixture.apply(.childEnded(first[0], Leg.Status(code: 200, cause: 16), .completed))
        effects = fixture.step(2, .connect(connect))
        let second = effects.createdChildren
        #expect(Set(first).isDisjoint(with: second))
        #expect(fixture.apply(.childAnswered(first[1])).toldChildren == [first[1]], "it is not joined")
        #expect(fixture.apply(.childEnded(first[1], Leg.Status(code: 486, cause: 17), .busy)).outcomes.isEmpty)
        #expect(fixture.leg.performing?.results.isEmpty == true)
        #expect(fixture.apply(.childEnded(second[0], Leg.Status(code: 486, cause: 17), .busy)).outcomes.isEmpty, "the other still rings")
        #expect(fixture.apply(.childEnded(second[1], Leg.Status(code: 486, cause: 17), .busy)).outcomes.map(\.result) == [.busy])
    }

    @Test("A dial ends with its own calls, whatever of an earlier one is left")
    func lateChildOfDial() {
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1"), Address(kind: .extension, target: "2")]
        var (fixture, effects) = LegFixture.answered(performing: .connect(connect))
        let first = effects.createdChildren
        _ = fixture.apply(.childAnswered(first[0]))
        _ = fixture.apply(.childEnded(first[0], Leg.Status(code: 200, cause: 16), .completed))
        var dial = Flow.Dial()
        dial.targets = [Flow.Dial.Target()]
        dial.targets[0].target = "3"
        effects = fixture.step(2, .dial(dial))
        let own = effects.compactMap { if case .createChild(let order) = $0 { order.id } else { nil } }
        #expect(own.count == 1)
        #expect(fixture.apply(.childEnded(own[0], Leg.Status(code: 486, cause: 17), .busy)).outcomes.map(\.result) == [.busy])
        #expect(fixture.apply(.childEnded(first[1], Leg.Status(code: 487, cause: 16), .canceled)).outcomes.isEmpty)
    }
}

extension [LegEffect] {
    fileprivate var asked: Int { count { if case .watchRun = $0 { true } else { false } } }
    fileprivate var stopsPlay: Bool { contains { if case .stopPlay = $0 { true } else { false } } }
}
