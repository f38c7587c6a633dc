import Bytes
import Contracts
import Flow

/// A run that begins when something else is over: another run (`on_complete_flow_id`), a recording or a transcription
/// (`on_end_flow_id`). No call has it.
struct Aftermath: Sendable, Equatable {
    /// Follows from what is over, so that what is told twice is run once.
    var runID: String
    var customerID: String
    var flowID: String
    /// The call of the run that it follows.
    var referenceID: String
    var variables: [String: String]
    /// How many runs came before it.
    var chain: Int

    /// Of a run: VoIPbin ends a chain after so many.
    static let longestChain = 5

    /// Nil where nothing follows: the chain is too long.
    init?(ofRun id: String, _ event: Event, flowID: String, chain: Int) {
        guard chain < Self.longestChain, let reference = event.data["reference_id"]?.string else { return nil }
        self.init(
            after: id, salt: "complete", event.customerID, flowID, reference, chain: chain + 1,
            ["voipbin.activeflow.complete_count": String(chain + 1), "voipbin.activeflow.reference_activeflow_id": id])
    }

    init(of end: Store.RecordingEnd, _ event: Event) {
        var variables = [
            "voipbin.recording.id": end.recordingID, "voipbin.recording.reference_id": end.referenceID,
            "voipbin.activeflow.reference_activeflow_id": end.runID,
        ]
        for name in ["status", "format", "layout", "duration_ms", "end_reason"] {
            if let value = event.data[name], value != .null { variables["voipbin.recording.\(name)"] = value.plainText }
        }
        self.init(after: end.recordingID, salt: "recording", end.customerID, end.flowID, end.referenceID, chain: 0, variables)
    }

    /// Of a call's transcription, which says itself what is to follow; nil: nothing.
    init?(ofTranscription event: Event) {
        guard let ended = event.data["transcript"], let id = ended["id"]?.string, let flow = ended["on_end_flow_id"]?.string, let run = ended["run_id"]?.string
        else { return nil }
        var variables = [
            "voipbin.transcribe.id": id, "voipbin.transcribe.reference_type": "call", "voipbin.transcribe.reference_id": event.resourceID,
            "voipbin.activeflow.reference_activeflow_id": run,
        ]
        for name in ["language", "direction", "provider"] { variables["voipbin.transcribe.\(name)"] = ended[name]?.string }
        self.init(after: event.resourceID, salt: "transcription/\(id)", event.customerID, flow, event.resourceID, chain: 0, variables)
    }

    private init(after id: String, salt: String, _ customer: String, _ flow: String, _ reference: String, chain: Int, _ variables: [String: String]) {
        // The time of what it follows, so that runs sort beside each other.
        runID = "run_" + id.drop { $0 != "_" }.dropFirst().prefix(10) + StableID.text(id, salt: salt, length: 16)
        (customerID, flowID, referenceID, self.chain, self.variables) = (customer, flow, reference, chain, variables)
        if reference.hasPrefix("call_") { self.variables["voipbin.call.id"] = reference }
    }
}
