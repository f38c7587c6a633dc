import Bytes
import Contracts
import Flow

/// Recordings that a flow begins and ends. The room makes them, and they go on by themselves: with the call into other rooms, and to
/// their end when nobody stops them.
extension Leg {
    mutating func startRecording(_ option: RecordingStart, into effects: inout [LegEffect]) {
        guard let step = performing?.step else { return }
        var terms = RecordingTerms(
            layout: option.layout == .stereo ? .stereo : .mixed, format: option.format == .ogg ? .ogg : .wav)
        terms.seconds = option.duration > 0 ? option.duration : nil
        terms.endOfSilence = option.endOfSilence > 0 ? option.endOfSilence : nil
        terms.endKeys = option.endKeys.isEmpty ? nil : option.endKeys
        (terms.beep, terms.digits) = (option.beepStart, option.digits)
        effects.append(.startRecording(id: recordingID(step: step), terms, step: step))
    }

    /// Named after the step, so that performing it twice makes one recording.
    func recordingID(step: Int) -> String {
        let time = record.id.drop { $0 != "_" }.dropFirst().prefix(10)
        return "rec_" + time + StableID.text(record.id, salt: "recording/\(step)", length: 16)
    }

    /// What the variables of the run say of a recording that has begun.
    static func outcome(of recording: Recording) -> Outcome {
        Outcome(
            .completed,
            variables: [
                "voipbin.recording.id": recording.id, "voipbin.recording.format": recording.format.rawValue,
                "voipbin.recording.layout": recording.layout.rawValue, "voipbin.recording.reference_type": "call",
                "voipbin.recording.reference_id": recording.callID ?? "",
            ])
    }
}
