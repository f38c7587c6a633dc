import Contracts
import Flow

extension CallEngine {
    /// Of the leg, in the room it sits in.
    func startRecording(_ leg: Leg, _ id: String, _ terms: RecordingTerms, _ step: Int) {
        let command = StartRecording(
            customerID: leg.record.customerID, recordingID: id, roomID: leg.seat.roomID, callID: leg.record.id,
            participantID: leg.seat.participantID, terms: terms)
        ask(command, for: leg, "recording/\(step)", at: leg.seat.instance) {
            .recordingAnswered(step: step, Leg.outcome(of: $0))
        } failed: { .recordingAnswered(step: step, .failed($0.code.rawValue)) }
    }

    /// That one; one that has ended already is no failure.
    func stopRecording(_ leg: Leg, _ id: String, _ step: Int) {
        let command = ControlRecording(customerID: leg.record.customerID, recordingID: id, callID: leg.record.id, change: .stop)
        ask(command, for: leg, "recording/stop/\(step)") { _ in
            .recordingAnswered(step: step, .completed)
        } failed: { .recordingAnswered(step: step, $0.code == .conflict ? .completed : .failed($0.code.rawValue)) }
    }

    /// All of the leg; whoever makes them is found by any instance. That there is none is no failure.
    func stopRecordings(_ leg: Leg, _ step: Int) {
        let command = ControlRecording(customerID: leg.record.customerID, callID: leg.record.id, change: .stop)
        ask(command, for: leg, "recording/\(step)") { _ in
            .recordingAnswered(step: step, .completed)
        } failed: { .recordingAnswered(step: step, $0.code == .conflict ? .completed : .failed($0.code.rawValue)) }
    }
}
