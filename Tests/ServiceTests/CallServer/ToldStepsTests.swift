import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("What FlowManager has taken lately of a run can be told it again (DESIGN §5)")
struct ToldStepsTests {
    private let begin = Instant(nanoseconds: 1_000_000_000_000)

    private func begun(_ run: String = "run_1") -> ToldSteps.Telling {
        .begun(StartRun(runID: run, customerID: "cust_1", flowID: "flow_1", actions: nil, referenceID: "call_1", variables: [:]))
    }

    private func ended(_ step: Int, _ run: String = "run_1", _ outcome: Outcome = .completed) -> ToldSteps.Telling {
        .ended(AdvanceRun(runID: run, customerID: "cust_1", step: step, outcome: outcome))
    }

    private func answer(_ step: Int, waiting: Int? = nil, at: Int64? = nil) -> RunStep {
        RunStep(runID: "run_1", step: step, action: waiting == nil ? Action(id: "a", .beep) : nil, finished: nil, waiting: waiting, at: at)
    }

    private func steps(_ told: ToldSteps, _ run: String = "run_1") -> [Int] { told.tellings(of: run).map(\.step) }

    @Test("In the order it was taken in, each step as of when it was made")
    func order() {
        var told = ToldSteps()
        told.took(begun(), answer(1, at: 17), at: begin)
        told.took(ended(1), answer(2, at: 18), at: begin)
        told.took(ended(2), answer(3), at: begin)
        #expect(steps(told) == [0, 1, 2])
        let times = told.tellings(of: "run_1").map { telling -> Int64? in
            switch telling {
            case .begun(let command): command.at
            case .ended(let command): command.at
            }
        }
        #expect(times == [17, 18, nil])
        #expect(steps(told, "run_2").isEmpty)
    }

    @Test("What was asked for several times is told once; what a run that waits for a web server has not taken yet is not among it")
    func repeated() {
        var told = ToldSteps()
        told.took(ended(1), answer(2), at: begin)
        told.took(ended(1), answer(2), at: begin)
        told.took(ended(2), answer(2, waiting: 50), at: begin)
        #expect(steps(told) == [1])
        told.took(ended(2), answer(3), at: begin)
        #expect(steps(told) == [1, 2])
    }

    @Test("What is on disk is forgotten, but nothing of what is just being told again")
    func forgotten() {
        var told = ToldSteps()
        told.took(ended(1), answer(2), at: begin)
        told.took(ended(2), answer(3), at: begin + .seconds(3))
        told.took(ended(1, "run_2"), answer(2), at: begin)
        told.forget(toldBefore: begin + .seconds(1), besides: ["run_2"])
        #expect(steps(told) == [2] && steps(told, "run_2") == [1])
        told.forget(toldBefore: begin + .seconds(4), besides: [])
        #expect(told.count == 0)
    }

    @Test("A run that takes steps without end keeps a bounded number of them")
    func bounded() {
        var told = ToldSteps()
        for step in 1...1_000 { told.took(ended(step), answer(step + 1), at: begin) }
        #expect(steps(told) == Array(1_000 - ToldSteps.mostOfRun + 1...1_000))
    }
}
