import Addresses
import Datagrams
import Deadlines
import FoundationEssentials
import Recognition
import TLS
import Threads
import WebSocket

/// A recognition service that takes sound as it comes, over a WebSocket (docs/hearing.md has the protocol): a `start` message,
/// binary messages of sound, results back, an `end` message, and the service closes when the last result is told.
struct WebSocketRecogniser: RecognitionProvider {
    struct Start: Encodable, Equatable {
        var type = "start"
        /// 16 bits, the lower byte first.
        var encoding = "s16le"
        var rate = 8000
        var channels = 1
        var language: String
        var hints: [String]
        var interim: Bool
    }

    struct Reply: Decodable, Equatable {
        var type: String
        var text: String?
        var confidence: Double?
        var start: Int?
        var end: Int?
        var code: String?
        var detail: String?
    }

    private static let longestText = 8 << 10

    let name = "websocket"
    let addressee: WebAddressee
    let secret: String
    let timeout: Interval
    let policy: FetchPolicy
    let threads: BlockingThreads
    /// What servers are trusted by (wss).
    let trust: Result<TLSContext, TLSError>
    let loop: EventLoop
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    func recognise(
        _ sound: AsyncStream<RecognitionSound>, _ options: RecognitionOptions, _ tell: @escaping @Sendable (RecognitionResult) -> Void
    ) async throws(RecognitionFailure) {
        let address = try await addressee.resolve(policy, threads)
        let stream = StreamAddress(addressee.address)
        let socket = RecognitionSocket(patience: timeout, loop: loop)
        await socket.connect(
            to: stream, at: SocketAddress(address, port: UInt16(clamping: stream.port)), fields, trusting: stream.isSecure ? trust : nil)
        guard let start = try? JSONEncoder().encode(Start(language: options.language, hints: options.hints, interim: options.interim)),
            await socket.send(Frame(.text, Array(start)))
        else { throw await Self.reason(socket) }
        let failure = await withTaskGroup(of: RecognitionFailure?.self) { group in
            group.addTask {
                for await piece in sound {
                    guard await socket.send(Frame(.binary, Self.bytes(piece.samples))) else { return nil }
                }
                await socket.finish(Frame(.text, Array(#"{"type":"end"}"#.utf8)))
                return nil
            }
            group.addTask { await Self.listen(to: socket, interim: options.interim, tell) }
            // When the service has ended, the rest of the sound is nobody's.
            var failure: RecognitionFailure?
            for await result in group { failure = failure ?? result }
            return failure
        }
        await socket.close()
        if let failure { throw failure }
    }

    private var fields: [(name: String, value: String)] {
        let name = [(name: "User-Agent", value: "Tandem")]
        guard !addressee.isCustomers, !secret.isEmpty else { return name }
        return name + [(name: "X-Tandem-Signature", value: HTTPSpeech.signature(of: [], secret: secret, at: now()))]
    }

    private static func reason(_ socket: RecognitionSocket) async -> RecognitionFailure {
        for await message in socket.incoming { if case .ended(let failure?) = message { return failure } }
        return RecognitionFailure("failed", "the recognition service was not reached")
    }

    private static func listen(
        to socket: RecognitionSocket, interim: Bool, _ tell: @Sendable (RecognitionResult) -> Void
    ) async -> RecognitionFailure? {
        for await message in socket.incoming {
            switch message {
            case .ended(let failure): return failure
            case .text(let bytes):
                guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(bytes)) else {
                    await socket.close()
                    return RecognitionFailure("failed", "what the recognition service sends is no message of its protocol")
                }
                switch reply.type {
                case "partial" where interim, "final":
                    let text = String((reply.text ?? "").prefix(longestText))
                    let confidence = reply.confidence.map { min(1, max(0, $0)) }
                    let start = min(max(0, reply.start ?? 0), 86_400_000)
                    let end = min(max(start, reply.end ?? start), 86_400_000)
                    let isFinal = reply.type == "final"
                    if !text.isEmpty { tell(RecognitionResult(text, confidence: confidence, start: start, end: end, isFinal: isFinal)) }
                case "error":
                    await socket.close()
                    return RecognitionFailure("refused", String((reply.detail ?? reply.code ?? "the recognition service refuses").prefix(500)))
                default:
                    // A newer service may say more than we know of.
                    break
                }
            }
        }
        return nil
    }

    private static func bytes(_ samples: [Int16]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(samples.count * 2)
        for sample in samples {
            let bits = UInt16(bitPattern: sample)
            bytes.append(UInt8(bits & 255))
            bytes.append(UInt8(bits >> 8))
        }
        return bytes
    }
}
