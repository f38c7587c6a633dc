import Audio
import Foundation
import Hostile
import Speech
import Synchronization
import Testing

@testable import ConferenceServer

@Suite("What web servers may do to who fetches from them")
struct SoundFetcherTests {
    private let threads = BlockingThreads(count: 2)

    /// Only 127.0.0.1 may be fetched from.
    private func fetcher() throws -> SoundFetcher {
        SoundFetcher(policy: try FetchPolicy(allowing: ["127.0.0.1"]), threads: threads)
    }

    @Test("A body comes with what the server says of it; a known copy is asked about, and confirmed")
    func fetched() async throws {
        let server = try WebServer { request in
            request.headers["if-none-match"] == "\"1\""
                ? .init(304, ["cache-control": "max-age=9"]) : .init(200, ["ETag": "\"1\"", "Cache-Control": "max-age=5"], [1, 2, 3])
        }
        defer { server.close() }
        let fetcher = try fetcher()
        #expect(try await fetcher.fetch(server.url + "/a") == .body([1, 2, 3], SoundLab.headers(["etag": "\"1\"", "cache-control": "max-age=5"])))
        let known = Validators(etag: "\"1\"", lastModified: "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(try await fetcher.fetch(server.url + "/a", known) == .unchanged(SoundLab.headers(["cache-control": "max-age=9"])))
        #expect(server.requests().last?.headers["if-modified-since"] == known.lastModified)
    }

    @Test("A redirect is followed to where one may fetch from, three times, and nowhere else: not even once to a private address")
    func redirected() async throws {
        let server = try WebServer { request in
            switch request.path {
            case "/relative": .init(302, ["location": "sound"])
            case "/sound": .init(200, [:], [7])
            case "/private": .init(301, ["location": "http://10.0.0.1/secret"])
            case "/metadata": .init(307, ["location": "http://169.254.169.254/latest/meta-data"])
            case "/loopback": .init(308, ["location": "http://127.0.0.2/"])
            case "/six": .init(302, ["location": "http://[::1]/"])
            case "/file": .init(302, ["location": "file:///etc/passwd"])
            case "/nowhere": .init(302)
            default: .init(302, ["location": "/round"])
            }
        }
        defer { server.close() }
        let fetcher = try fetcher()
        #expect(try await fetcher.fetch(server.url + "/relative") == .body([7], WebHeaders()))
        for path in ["/private", "/metadata", "/loopback", "/six", "/file", "/nowhere"] {
            await #expect(throws: SoundProblem.self, "\(path)") { try await fetcher.fetch(server.url + path) }
        }
        await #expect(throws: SoundProblem.self) { try await fetcher.fetch(server.url + "/round") }
        #expect(server.requests(for: "/round").count == SoundFetcher.redirectLimit + 1)
    }

    @Test("An error, an answer nobody asked for, and too large a body are told")
    func refused() async throws {
        let server = try WebServer { request in
            switch request.path {
            case "/large": .init(200, [:], Array(repeating: 0, count: SoundFetcher.largestBody + 1))
            case "/same": .init(304)
            case "/part": .init(206, [:], [1])
            default: .init(404)
            }
        }
        defer { server.close() }
        let fetcher = try fetcher()
        for path in ["/large", "/same", "/part", "/none"] {
            await #expect(throws: SoundProblem.self, "\(path)") { try await fetcher.fetch(server.url + path) }
        }
        await #expect(throws: SoundProblem.self) { try await fetcher.fetch("http://localhost.invalid/") }
    }

    @Test("The speech service is asked with a signature, and its sound is what is heard; whatever else it does is a typed error")
    func speechService() async throws {
        let sound = WAVWriter.encode(Samples(Array(repeating: 9, count: 4000)))
        let server = try WebServer { request in
            switch request.path {
            case "/speak": .init(200, ["content-type": "audio/wav"], sound)
            case "/garbage": .init(200, [:], Array("no sound".utf8))
            case "/elsewhere": .init(302, ["location": "/speak"])
            default: .init(500)
            }
        }
        defer { server.close() }
        func service(_ path: String) -> HTTPSpeech {
            HTTPSpeech(url: server.url + path, secret: "key", timeout: .seconds(5), threads: threads, now: { 1234 })
        }
        let utterance = Utterance(text: "hello", language: "fr", voice: "Anne", rate: 170, pitch: 40, volume: 2)
        #expect(try await service("/speak").speak(utterance) == Array(repeating: 9, count: 4000))
        let request = try #require(server.requests(for: "/speak").first)
        #expect(request.method == "POST")
        #expect(request.headers["x-tandem-signature"] == HTTPSpeech.signature(of: request.body, secret: "key", at: 1234))
        let said = try #require(try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        #expect(said["text"] as? String == "hello" && said["voice"] as? String == "Anne" && said["language"] as? String == "fr")
        #expect(said["rate"] as? Int == 170 && said["format"] as? String == "text")
        for path in ["/garbage", "/elsewhere", "/broken"] {
            await #expect(throws: SpeechError.self, "\(path)") { try await service(path).speak(utterance) }
        }
        #expect(server.requests(for: "/speak").count == 1)
        let long = Utterance(text: String(repeating: "x", count: Synthesiser.largestText + 1))
        await #expect(throws: SpeechError.tooLong(limit: Synthesiser.largestText)) { try await service("/speak").speak(long) }
    }
}
