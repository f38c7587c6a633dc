import Contracts
import Flow

/// What the record of a leg says besides what happened to it in SIP.
extension Leg {
    private static let mostRecordings = 100

    /// A recording of it has begun.
    mutating func recorded(_ id: String) {
        guard !id.isEmpty, record.recordingIDs?.contains(id) != true, (record.recordingIDs?.count ?? 0) < Self.mostRecordings else { return }
        record.recordingIDs = (record.recordingIDs ?? []) + [id]
    }

    mutating func recorded(_ outcome: Outcome) {
        if outcome.result == .completed, let id = outcome.variables?["voipbin.recording.id"] { recorded(id) }
    }
}
