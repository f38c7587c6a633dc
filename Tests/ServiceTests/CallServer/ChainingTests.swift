import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("Calls that flows make: chained to their master, and with a flow that begins early") struct ChainingTests {
    @Test("The master's end is told to each call that hangs on it, once for each; one that comes too late is told at once")
    func master() {
        var (fixture, _) = LegFixture.answered(performing: .echo(Echo()))
        _ = fixture.apply(.attached("call_a"))
        _ = fixture.apply(.attached("call_a"))
        _ = fixture.apply(.attached("call_b"))
        #expect(fixture.apply(.byed).released == ["call_a", "call_b"])
        #expect(fixture.apply(.attached("call_c")).released == ["call_c"])
        #expect(fixture.leg.resume(offer: nil, at: fixture.moment).released == ["call_a", "call_b"], "nobody knows who has heard it")
    }

    @Test("A chained call says so as it begins, and ends with its master: ringing it is canceled, talked through it is hung up on")
    func chained() {
        var fixture = LegFixture.outbound(parent: nil, program: Leg.Program(flowID: "flow_1"))
        fixture.leg.chainedTo = "call_m"
        let effects = fixture.leg.begin(at: fixture.moment)
        #expect(effects.contains { if case .attach("call_m") = $0 { true } else { false } })
        #expect(fixture.leg.resume(offer: nil, at: fixture.moment).contains { if case .attach("call_m") = $0 { true } else { false } })
        _ = fixture.apply(.masterEnded)
        #expect(fixture.leg.record.status == .canceled)
        var (answered, _) = LegFixture.answered(performing: .echo(Echo()))
        answered.leg.chainedTo = "call_m"
        #expect(answered.apply(.masterEnded).hasBye && answered.leg.record.status == .completed)
    }

    @Test("early_execution: the flow begins while it rings; what needs sound waits for the answer; without it, the flow waits", arguments: [true, false])
    func early(isEarly: Bool) throws {
        var program = Leg.Program(flowID: "flow_1")
        program.isEarly = isEarly
        var fixture = LegFixture.outbound(parent: nil, program: program)
        #expect(fixture.leg.begin(at: fixture.moment).startsRun == isEarly)
        guard isEarly else { return }
        var talk = Talk()
        talk.text = "Hello"
        #expect(fixture.step(1, .talk(talk)).plays.isEmpty)
        _ = fixture.apply(.found([ReachableBinding(contact: "sip:1002@127.0.0.1:5070", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)]))
        _ = fixture.seatDown()
        var effects = fixture.apply(.accepted(branch: 0, answer: "sdp"))
        effects += fixture.apply(.mediaUpdated(.init(description: nil, held: false), kind: .answer))
        #expect(effects.plays.count == 1 && !effects.startsRun, "said once it can be heard")
    }
}

extension [LegEffect] {
    fileprivate var released: [String] { compactMap { if case .releaseChained(let call) = $0 { call } else { nil } } }
    fileprivate var startsRun: Bool { contains { if case .startRun = $0 { true } else { false } } }
}
