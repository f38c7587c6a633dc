import Flow
import Foundation
import Phone
import Suite
import Testing

/// The suite runs with the settings of an object store (deploy/local/test), which is a process of these tests.
@Suite("Recordings in an object store", .serialized, .timeLimit(.minutes(4)))
struct ObjectStoreTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func store() async throws -> Program {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String) throws -> String {
            guard let value = environment["TANDEM_RECORDING_S3_" + name] else { throw RunningSuite.Missing.variable("TANDEM_RECORDING_S3_" + name) }
            return value
        }
        let port = try #require(try value("URL").split(separator: ":").last.map(String.init))
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/objects/store.py")
        let program = try Program(
            "/usr/bin/python3",
            [
                "-B", file.path, "--port", port, "--bucket", try value("BUCKET"), "--region", try value("REGION"), "--key", try value("KEY_ID"),
                "--secret", try value("SECRET"),
            ])
        try await program.prints("ready", within: .seconds(10))
        return program
    }

    /// Records a call that speaks a tone, for so long.
    private func record(_ phone: PhoneLine, _ format: String, _ layout: String, for time: Duration) async throws -> String {
        let call = try await phone.call("600")
        try await call.answered()
        let callID = try await suite.callID(from: phone.number)
        let made = try await suite.request("POST", "/v1/calls/\(callID)/actions/record_start", ["format": .string(format), "layout": .string(layout)])
        let id = try #require(made.body["id"]?.string, "\(made.body.jsonText)")
        try await Task.sleep(for: time)
        try await call.hangup()
        return id
    }

    /// The names of recordings in the folder of the suite's ConferenceServer that hold this one.
    private func filesHere(_ id: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: "\(suite.folder)/recordings")?.compactMap { $0 as? String } ?? []
        return names.filter { $0.contains(id) }
    }

    @Test("what ends is brought there, in pieces when it is long; it is downloaded and deleted over the API; here nothing is left", arguments: [
        ("wav", "stereo", 6), ("ogg", "mixed", 3),
    ])
    func kept(format: String, layout: String, seconds: Int) async throws {
        let store = try await store()
        try await withPhones(1, in: suite) { phones in
            let id = try await record(phones[0], format, layout, for: .seconds(seconds))
            let recording = try await suite.recording(id, within: .seconds(30))
            #expect(recording["status"]?.string == "stored", "\(recording.jsonText)")
            // Sealed and 32 kB a second, a WAV is of three pieces of 64 KiB at least; Opus is one.
            let name = try #require(store.output.split(separator: "\n").first { $0.contains(id) }?.split(separator: " "))
            #expect(name[0] == (format == "wav" ? "joined" : "put"), "\(store.output)")
            if format == "wav" { #expect(Int(name[2]) ?? 0 >= 3) }
            #expect(name[1].hasPrefix("tests/") && name[1].hasSuffix("\(id).\(format)"))
            try await suite.eventually("the folder is empty") { filesHere(id).isEmpty }

            let path = "/v1/recordings/\(id)/media"
            let media = try await suite.download(path)
            #expect(media.status == 200 && media.bytes.count == recording["size"]?.integer.map { Int($0) })
            #expect(try RunningSuite.sha256(media.bytes) == recording["sha256"]?.string)
            let part = try await suite.download(path, range: "bytes=1000-5999")
            #expect(part.status == 206 && part.bytes == Array(media.bytes[1000..<6000]))
            let sides = try RunningSuite.channels(media.bytes, format, count: layout == "stereo" ? 2 : 1)
            #expect(sides.allSatisfy { $0.suffix(8000).contains { $0 > 1000 } }, "the tone, and its echo")
            #expect(!store.output.contains("refused"), "\(store.output)")

            #expect(try await suite.request("DELETE", "/v1/recordings/\(id)").status == 204)
            try await store.prints("deleted \(name[1]) True", within: .seconds(5))
            #expect(try await suite.download(path).status == 404)
        }
    }

    @Test("a store that is away is waited for: the recording is kept here until it is back")
    func away() async throws {
        try await withPhones(1, in: suite) { phones in
            let id = try await record(phones[0], "wav", "mixed", for: .seconds(3))
            try await suite.eventually("it has ended") { try await suite.request("GET", "/v1/recordings/\(id)").body["status"]?.string == "storing" }
            // Some attempts, all in vain.
            try await Task.sleep(for: .seconds(2))
            #expect(try await suite.request("GET", "/v1/recordings/\(id)").body["status"]?.string == "storing")
            #expect(!filesHere(id).isEmpty)
            let store = try await store()
            #expect(try await suite.recording(id, within: .seconds(40))["status"]?.string == "stored")
            try await store.prints(id, within: .seconds(5))
            let media = try await suite.download("/v1/recordings/\(id)/media")
            #expect(media.status == 200 && !media.bytes.isEmpty)
        }
    }
}
