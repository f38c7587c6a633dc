import Contracts
import Deadlines
import Flow

/// The last that a run hears of its call: that it has ended, and what was made until then. A message that somebody left is in no mailbox
/// before FlowManager has it, so it is told until it is taken, by this instance or a successor; the record of the call does not wait.
extension Leg {
    static let longestClosingPause = Interval.seconds(5)

    mutating func close(_ runID: String, _ step: Int, _ outcome: Outcome, into effects: inout [LegEffect]) {
        closing = Closing(runID: runID, step: step, outcome: outcome)
        flowAttempts = 0
        tellClosing(into: &effects)
    }

    mutating func tellClosing(into effects: inout [LegEffect]) {
        guard let closing else { return }
        effects.append(.advance(runID: closing.runID, step: closing.step, closing.outcome ?? .callEnded))
    }

    /// True when the step was the answer to that; whatever the run would do next is told that the call has ended, too.
    mutating func closingTaken(_ step: RunStep, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let told = closing, performing == nil, told.runID == step.runID else { return false }
        flowAttempts = 0
        deadlines[.flowRetry] = nil
        if step.action != nil || step.waiting != nil, step.step > told.step {
            close(step.runID, step.step, .callEnded, into: &effects)
        } else if let waiting = step.waiting {
            deadlines[.flowRetry] = moment.now + .milliseconds(waiting)
        } else {
            closing = nil
            leaveWhenTold(into: &effects)
        }
        return true
    }

    /// True when it was that which FlowManager could not be told. A run that is not there, or is elsewhere, need not hear of it.
    mutating func closingFailed(_ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard closing != nil, performing == nil else { return false }
        flowAttempts += 1
        if [.unavailable, .timeout, .exhausted, .failed].contains(error.code), flowAttempts <= limits.mostClosingRetries {
            deadlines[.flowRetry] = moment.now + min(.milliseconds(100 << min(flowAttempts, 6)), Self.longestClosingPause)
        } else {
            closing = nil
            leaveWhenTold(into: &effects)
        }
        return true
    }

    /// An ended leg goes when its record is written and its run knows.
    mutating func leaveWhenTold(into effects: inout [LegEffect]) {
        guard isEnded, closing == nil, deadlines[.farewell] == nil else { return }
        effects.append(.forget)
    }
}

extension Leg.Limits {
    /// So often, with five seconds between them, the last outcome of a run is told.
    var mostClosingRetries: Int { closingRetries ?? 720 }
}
