import Contracts
import Recognition
import ServiceKit

/// Who may be asked to recognise speech: those the operator has, and a customer's own.
struct RecognitionProviders: Sendable {
    /// The first is asked when nobody is named.
    let own: [any RecognitionProvider]
    /// For an address of a customer's.
    let customers: @Sendable (WebAddressee) -> any RecognitionProvider

    /// Of an operator's own recogniser.
    private static func address(_ manner: WebAddressee.Manner, _ expected: String) -> Setting.Format {
        Setting.Format(expected) { url in
            // That it is wrong is all there is to say.
            (try? WebAddressee(operators: url))?.manner == manner
        }
    }

    static let declared: [Setting] = [
        Setting("TANDEM_RECOGNISERS", .integer(0...64), default: "2", "voices that pocketsphinx listens to at once; 0: it is not used"),
        Setting("TANDEM_SPHINX_MODEL", default: "", "folder of another model for pocketsphinx; empty: Debian's American English"),
        Setting(
            "TANDEM_RECOGNITION_URL", as: address(.requests, "an http or https address").orEmpty, default: "",
            "recognition service that takes each utterance by HTTP; empty: none"),
        Setting(
            "TANDEM_RECOGNITION_STREAM_URL", as: address(.stream, "a ws or wss address").orEmpty, default: "",
            "recognition service that takes sound over a WebSocket; empty: none"),
        Setting("TANDEM_RECOGNITION_SECRET", .secret, default: "", "what requests to recognition services are signed with"),
        Setting("TANDEM_RECOGNITION_SECONDS", .integer(1...60), default: "10", "how long a recognition service may take for an utterance"),
        Setting("TANDEM_TRANSCRIPTIONS", .integer(0...10_000), default: "200", "transcriptions of this instance at once"),
    ]

    func provider(for wanted: Transcription) throws(RecognitionFailure) -> any RecognitionProvider {
        if let url = wanted.url { return customers(try WebAddressee(customers: url)) }
        guard let name = wanted.provider else {
            guard let first = own.first else { throw RecognitionFailure("provider", "no recogniser is set up here") }
            return first
        }
        guard let provider = own.first(where: { $0.name == name }) else {
            throw RecognitionFailure("provider", "the recogniser \(name) is not set up here")
        }
        return provider
    }
}
