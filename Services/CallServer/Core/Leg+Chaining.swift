import Contracts
import Deadlines

/// Calls that a flow has made with `chained`: they end with the call whose flow that was, its master.
extension Leg {
    /// A call that hangs on this one.
    mutating func attached(_ call: String) {
        guard chained?.contains(call) != true else { return }
        chained = (chained ?? []) + [call]
    }

    /// Its master is over, or was before it knew.
    mutating func masterEnded(at moment: Moment, into effects: inout [LegEffect]) {
        chainedTo = nil
        end(
            phase == .up ? .completed : .canceled, Status(code: phase == .up ? 200 : 487, cause: 16), by: "platform", at: moment, into: &effects)
    }

    /// Told again by whoever goes on with an ended call: nobody knows who has heard it.
    func releaseChained(into effects: inout [LegEffect]) {
        for call in chained ?? [] { effects.append(.releaseChained(call)) }
    }
}
