import ServiceKit
import Testing

@testable import ConferenceServer

@Suite("ConferenceServer: settings")
struct ConferenceSettingsTests {
    private func settings(_ values: [String: String] = [:]) throws -> Settings {
        try Settings(SoundSettings.declared + RecordingSettings.declared + RecognitionProviders.declared, environment: values) { _ in nil }
    }

    @Test("Services on the web and keys have the form they must have, or are named together; a key is not repeated")
    func forms() throws {
        _ = try settings()
        let key = String(repeating: "0f", count: 32)
        _ = try settings([
            "TANDEM_SPEECH_URL": "https://speech", "TANDEM_RECOGNITION_URL": "http://heard:80/", "TANDEM_RECOGNITION_STREAM_URL": "wss://heard",
            "TANDEM_RECORDING_KEY": "\(key),cluster",
        ])
        let values = [
            "TANDEM_SPEECH_URL": "speech", "TANDEM_RECOGNITION_URL": "ws://heard", "TANDEM_RECOGNITION_STREAM_URL": "http://heard",
            "TANDEM_RECORDING_KEY": "cluster,hunter2",
        ]
        let error = #expect(throws: Settings.Mistakes.self) { try settings(values) }
        #expect(error?.lines.count == values.count && error?.description.contains("hunter2") == false)
    }

    @Test("A store for recordings wants all it is reached with, found before anything is opened", arguments: [
        ["TANDEM_RECORDING_S3_URL": "https://s3"],
        [
            "TANDEM_RECORDING_S3_URL": "s3", "TANDEM_RECORDING_S3_BUCKET": "b", "TANDEM_RECORDING_S3_KEY_ID": "i",
            "TANDEM_RECORDING_S3_SECRET": "s",
        ],
    ])
    func store(_ values: [String: String]) throws {
        let settings = try settings(values)
        #expect(throws: ConfigurationError.self) { try ObjectStore.check(settings) }
        try ObjectStore.check(try self.settings())
    }
}
