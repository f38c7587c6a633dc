import Contracts

extension Leg {
    /// RELIABILITY V5: who proves to be somebody else gets no sound and no call; where no way or no keys are found there is nothing to
    /// stay for. Before the answer nothing is decided yet: a phone begins to look for its way when it hears our answer.
    mutating func mediaLost(_ reason: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard phase == .up else { return }
        record.hangupReason = "media_" + reason
        end(.failed, Status(code: 488, cause: reason == "no_path" ? 41 : 88), by: "platform", at: moment, into: &effects)
    }
}
