import Flow
import Phone
import Suite
import Testing

/// It kills a service that the others need.
@Suite("The recorder dies", .serialized, .timeLimit(.minutes(3)))
struct RecordingDeathTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let service = "ConferenceServer"

    /// Records a call for four seconds.
    private func recorded(_ phone: PhoneLine, _ format: String) async throws -> (PhoneCall, id: String) {
        let call = try await phone.call("600")
        try await call.answered()
        let callID = try await suite.callID(from: phone.number)
        let made = try await suite.request("POST", "/v1/calls/\(callID)/actions/record_start", ["format": .string(format), "layout": "stereo"])
        let id = try #require(made.body["id"]?.string)
        try await Task.sleep(for: .seconds(4))
        return (call, id)
    }

    @Test("of a worker that dies the recording goes on with its successor: one sound of both parts", arguments: ["wav", "ogg"])
    func goesOn(format: String) async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await recorded(phones[0], format)
            let old = try suite.worker(of: Self.service)
            try suite.killWorker(of: Self.service)
            try await suite.waitUntilWorks(Self.service, insteadOf: old)
            try await Task.sleep(for: .seconds(4))
            try await call.hangup()
            let recording = try await suite.recording(id, within: .seconds(30))
            #expect(recording["status"]?.string == "stored", "\(recording.jsonText)")
            #expect(recording["duration_ms"]?.integer ?? 0 > 6500, "\(recording.jsonText)")
            let media = try await suite.download("/v1/recordings/\(id)/media")
            #expect(try RunningSuite.sha256(media.bytes) == recording["sha256"]?.string)
            let sides = try RunningSuite.channels(media.bytes, format, count: 2)
            #expect(sides[0].prefix(16_000).contains { $0 > 1000 } && sides[0].suffix(8000).contains { $0 > 1000 }, "sound of both")
        }
    }
}
