import AsyncHTTPClient
import Audio
import FoundationEssentials
import NIOCore
import Recognition

/// A recognition service that is asked for each utterance: `POST` of a WAV file, answered with `{"text": ..., "confidence": ...}`.
/// Signed as requests to the speech service are.
struct HTTPRecogniser: RecognitionProvider {
    struct Answer: Decodable, Equatable {
        var text: String
        var confidence: Double?
    }

    private static let lead = 400
    /// Samples of an utterance; what is said beyond it is the next one.
    private static let longest = 30 * Samples.rate
    private static let largestAnswer = 64 << 10
    private static let attempts = 2

    let name = "http"
    let addressee: WebAddressee
    let secret: String
    let timeout: Duration
    let policy: FetchPolicy
    let threads: BlockingThreads
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    func recognise(
        _ sound: AsyncStream<RecognitionSound>, _ options: RecognitionOptions, _ tell: @escaping @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure) {
        let address = try await addressee.resolve(policy, threads)
        let failure = await HTTPClient.pinned(addressee.address.host, to: address) { client -> RecognitionFailure? in
            do throws(RecognitionFailure) { try await listen(sound, options, client, tell) } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }

    private func listen(
        _ sound: AsyncStream<RecognitionSound>, _ options: RecognitionOptions, _ client: HTTPClient,
        _ tell: @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure) {
        var stretch = SpokenStretch(lead: Self.lead)
        var (samples, start): ([Int16], Int) = ([], 0)
        func understand(until end: Int) async throws(RecognitionFailure) {
            let spoken = samples
            samples = []
            guard !spoken.isEmpty else { return }
            let answer = try await ask(WAVWriter.encode(Samples(spoken)), options, client)
            if !answer.text.isEmpty {
                let confidence = answer.confidence.map { min(1, max(0, $0)) }
                tell(RecognitionResult(answer.text, confidence: confidence, start: start, end: end, isFinal: true))
            }
            start = end
        }
        for await piece in sound {
            switch stretch.take(piece) {
            case .nothing: break
            case .began(let first): (samples, start) = (first, stretch.start)
            case .goesOn(let more):
                samples += more
                if samples.count >= Self.longest { try await understand(until: stretch.end) }
            case .ended(let last):
                samples += last
                try await understand(until: stretch.end)
            }
        }
        if stretch.isOpen { try await understand(until: stretch.end) }
    }

    /// Asked again once: a service may be started anew just then.
    private func ask(_ wav: [UInt8], _ options: RecognitionOptions, _ client: HTTPClient) async throws(RecognitionFailure) -> Answer {
        var failure = RecognitionFailure("failed", "the recognition service was not asked")
        for _ in 0..<Self.attempts {
            let result =
                await SoundFetcher.bounded(by: timeout) { await post(wav, options, client) }
                ?? .failure(RecognitionFailure("timeout", "the recognition service takes longer than \(timeout.components.seconds) s"))
            switch result {
            case .success(let answer): return answer
            case .failure(let reason): failure = reason
            }
        }
        throw failure
    }

    private func post(
        _ wav: [UInt8], _ options: RecognitionOptions, _ client: HTTPClient
    ) async -> Result<Answer, RecognitionFailure> {
        var request = HTTPClientRequest(url: addressee.address.text)
        request.method = .POST
        request.headers.add(name: "content-type", value: "audio/wav")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "Tandem")
        request.headers.add(name: "x-tandem-language", value: Self.headerValue(options.language))
        if !options.hints.isEmpty {
            request.headers.add(name: "x-tandem-hints", value: options.hints.map(Self.headerValue).joined(separator: ","))
        }
        // The operator's secret is for the operator's service.
        if !addressee.isCustomers, !secret.isEmpty {
            request.headers.add(name: "x-tandem-signature", value: HTTPSpeech.signature(of: wav, secret: secret, at: now()))
        }
        request.body = .bytes(ByteBuffer(bytes: wav))
        do {
            let response = try await client.execute(request, timeout: .seconds(max(1, timeout.components.seconds)))
            guard response.status.code == 200 else {
                return .failure(RecognitionFailure("refused", "the recognition service answers \(response.status.code)"))
            }
            let body = try await response.body.collect(upTo: Self.largestAnswer)
            return .success(try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)))
        } catch is DecodingError {
            return .failure(RecognitionFailure("failed", "what the recognition service answers is not {\"text\": ...}"))
        } catch {
            return .failure(RecognitionFailure("unreachable", "the recognition service: \(error)"))
        }
    }

    /// Letters and digits as they are, the rest of UTF-8 as `%XX`: a comma and a line break are no separators.
    static func headerValue(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
