import Bytes
import Contracts
import Deadlines
import Flow

/// Writing down what is said: a watch that goes along from room to room, and results that are told as events of the call.
extension Leg {
    static let transcribingWatch = "transcribe"
    private static let mostEnding = 4

    mutating func transcribe(_ option: TranscribeStart, at moment: Moment, into effects: inout [LegEffect]) {
        let provider: String? =
            switch option.provider {
            case .sphinx: "sphinx"
            case .http: "http"
            case .websocket: "websocket"
            case .gcp, .aws, nil: nil
            }
        transcribe(
            Transcription(
                id: "", language: option.language, provider: provider, url: option.providerURL,
                direction: Transcription.Direction(rawValue: option.direction.rawValue) ?? .both, hints: option.hints,
                interim: option.interim, startedAt: moment.time), at: moment, into: &effects)
        if let flow = option.successor, let run = performing?.runID { hearing?.afterwards = Afterwards(flowID: flow, runID: run) }
    }

    /// What the run is told of a transcription that has begun.
    var transcribing: Outcome {
        guard let current = currentTranscription else { return .completed }
        return Outcome(
            .completed,
            variables: [
                "voipbin.transcribe.id": current.id, "voipbin.transcribe.reference_type": "call", "voipbin.transcribe.reference_id": record.id,
                "voipbin.transcribe.direction": current.direction.rawValue,
            ])
    }

    /// Begins a transcription in place of another; nil ends it.
    mutating func transcribe(_ transcription: Transcription?, at moment: Moment, into effects: inout [LegEffect]) {
        endTranscription(into: &effects)
        guard var transcription else { return }
        transcription.id = "trans_" + StableID.text(record.id, salt: "transcription/\(revision)", length: 26)
        transcription.startedAt = moment.time
        listen(Watch(id: Self.transcribingWatch, transcription: transcription), into: &effects)
        publish("transcript.started", with: ["transcript": Self.described(transcription)], into: &effects)
    }

    /// The one that goes on is over. Its event says which flow is to follow, and whose run began it: whoever reads it begins that flow, and knows
    /// of it from nowhere else.
    mutating func endTranscription(into effects: inout [LegEffect]) {
        guard let current = currentTranscription else { return }
        let ending = (hearing?.ending ?? []) + [current]
        hearing?.ending = Array(ending.suffix(Self.mostEnding))
        stopListening(Self.transcribingWatch, into: &effects)
        var members = Self.described(current).object ?? [:]
        if let afterwards = hearing?.afterwards {
            (members["on_end_flow_id"], members["run_id"]) = (.string(afterwards.flowID), .string(afterwards.runID))
        }
        hearing?.afterwards = nil
        publish("transcript.ended", with: ["transcript": .object(members)], into: &effects)
    }

    private var currentTranscription: Transcription? {
        hearing?.watches.first { $0.id == Self.transcribingWatch }?.transcription
    }

    private static func described(_ transcription: Transcription) -> JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(transcription.id), "direction": .string(transcription.direction.rawValue),
        ]
        members["language"] = transcription.language.map(JSONValue.string)
        members["provider"] = transcription.provider.map(JSONValue.string)
        return .object(members)
    }

    /// True when the finding was a transcription's. The results of one that was stopped a moment ago are told, too.
    mutating func tellTranscript(_ finding: Finding, into effects: inout [LegEffect]) -> Bool {
        let known = currentTranscription ?? hearing?.ending.last
        switch finding {
        case .transcript(let transcript):
            guard let known else { return true }
            var members: [String: JSONValue] = [
                "id": .string(known.id), "direction": .string(transcript.side.rawValue), "text": .string(transcript.text),
                "start_ms": .integer(Int64(transcript.start)), "end_ms": .integer(Int64(transcript.end)),
            ]
            // Who is heard by the phone may be several, or a prompt.
            if transcript.side == .in { members["who"] = .string(isInbound ? record.from : record.to) }
            members["confidence"] = transcript.confidence.map { .number($0) }
            publish(transcript.isFinal ? "transcript.final" : "transcript.partial", with: ["transcript": .object(members)], into: &effects)
            return true
        case .transcriptFailed(let side, let code, let detail):
            guard let known else { return true }
            var members: [String: JSONValue] = ["id": .string(known.id), "code": .string(code), "detail": .string(detail)]
            members["direction"] = side.map { .string($0.rawValue) }
            publish("transcript.failed", with: ["transcript": .object(members)], into: &effects)
            return true
        default:
            return false
        }
    }
}
