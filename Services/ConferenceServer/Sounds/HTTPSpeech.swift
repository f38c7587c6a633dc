import AsyncHTTPClient
import Audio
import Cryptography
import FoundationEssentials
import NIOCore
import Speech

/// A speech service of the operator's choice: `POST` of what is to be said as JSON, answered with a sound file of any kind.
///
/// `X-Tandem-Signature: t=SECONDS,v1=HEX` is HMAC-SHA256 with the shared secret over `SECONDS.BODY`, so the service knows who
/// asks and that nobody repeats it later.
struct HTTPSpeech: SpeechProvider {
    struct Request: Encodable, Equatable {
        let text: String
        /// `text` or `ssml`.
        let format: String
        let language: String
        let voice: String?
        let rate: Int
        let pitch: Int
        let volume: Double

        init(_ utterance: Utterance) throws(SpeechError) {
            text = utterance.isMarkup ? try SpeechMarkup(parsing: utterance.text).text : utterance.text
            format = utterance.isMarkup ? "ssml" : "text"
            (language, voice, rate, pitch) = (utterance.language, utterance.voice, utterance.rate, utterance.pitch)
            volume = utterance.decibels
        }
    }

    /// Texts that are asked for at once; more are told to go elsewhere.
    static let atOnce = 32
    static let longestSeconds = 300

    let name = "http"
    let url: String
    let secret: String
    let timeout: Duration
    let threads: BlockingThreads
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    func speak(_ utterance: Utterance) async throws(SpeechError) -> [Int16] {
        guard utterance.text.utf8.count <= Synthesiser.largestText else { throw .tooLong(limit: Synthesiser.largestText) }
        let body: [UInt8]
        do { body = Array(try JSONEncoder().encode(try Request(utterance))) } catch let error as SpeechError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
        let headers = [("x-tandem-signature", Self.signature(of: body, secret: secret, at: now()))]
        let (url, timeout) = (url, timeout)
        let answer = await SoundFetcher.bounded(by: timeout) { await Self.post(body, headers, to: url, timeout) }
        let sound = try (answer ?? .failure(.failed("the speech service takes longer than \(timeout)"))).get()
        do throws(SoundProblem) {
            return try await threads.run { () throws(SoundProblem) in
                do throws(SoundError) {
                    return try SoundFile.decode(sound, seconds: Self.longestSeconds).values
                } catch {
                    throw SoundProblem("\(error)")
                }
            }
        } catch {
            throw .failed("what the speech service sent is \(error)")
        }
    }

    static func signature(of body: [UInt8], secret: String, at time: Int) -> String {
        let code = DigestAlgorithm.sha256.authenticate(Array("\(time).".utf8) + body, key: Array(secret.utf8))
        return "t=\(time),v1=" + code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: {
            var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
            configuration.timeout.connect = .seconds(3)
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = atOnce
            return configuration
        }())

    private static func post(
        _ body: [UInt8], _ headers: [(String, String)], to url: String, _ timeout: Duration
    ) async -> Result<[UInt8], SpeechError> {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "audio/*")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, timeout: .seconds(max(1, timeout.components.seconds)))
            guard response.status.code == 200 else { return .failure(.failed("the speech service answers \(response.status.code)")) }
            return .success(Array(try await response.body.collect(upTo: SoundFetcher.largestBody).readableBytesView))
        } catch {
            return .failure(.failed("the speech service: \(error)"))
        }
    }
}
