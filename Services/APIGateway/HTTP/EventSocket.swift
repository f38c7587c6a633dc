import Contracts
import Deadlines
import Flow
import NIOCore
import NIOWebSocket
import Synchronization
import Threads

/// One open event stream over RFC 6455 frames: sends events, answers pings, and ends whoever does not read.
struct EventSocket: Sendable {
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias Outbound = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    /// Of what clients send, which is control frames only.
    static let largestFrame = 4_096
    private static let pingEvery = Interval.seconds(20)
    private static let silenceLimit = Interval.seconds(60)
    /// A client whose window stays closed for so long is slow.
    private static let stallLimit = Interval.seconds(10)
    private static let farewell = Duration.seconds(10)

    /// Why a stream ends: the codes of RFC 6455 §7.4.1 and, for 1013, of its IANA registry.
    private enum Ending: Sendable, Equatable {
        case byPeer(WebSocketErrorCode?)
        case goingAway, tooSlow, silent, unmasked, broken

        var code: WebSocketErrorCode? {
            switch self {
            case .byPeer(let code): code ?? .normalClosure
            case .goingAway: .goingAway
            case .tooSlow: .unknown(1013)
            case .silent: .goingAway
            case .unmasked: .protocolError
            case .broken: .unexpectedServerError
            }
        }
    }

    /// When the peer was last heard, and since when a write has been waiting for it.
    private final class Pulse: Sendable {
        private let state: Mutex<(heardAt: Instant, writingSince: Instant?)>

        init(now: Instant) { state = Mutex((now, nil)) }

        func heard() { state.withLock { $0.heardAt = MonotonicClock.now() } }
        func writing(_ isWriting: Bool) { state.withLock { $0.writingSince = isWriting ? MonotonicClock.now() : nil } }
        func look() -> (heardAt: Instant, writingSince: Instant?) { state.withLock { $0 } }
    }

    let frames: Frames
    let feed: EventFeed
    let subscription: EventSubscription

    func run() async {
        do {
            try await frames.executeThenClose { inbound, outbound in
                let pulse = Pulse(now: MonotonicClock.now())
                await withTaskGroup(of: Ending.self) { group in
                    group.addTask { await receive(inbound, outbound, pulse) }
                    group.addTask { await deliver(outbound, pulse) }
                    group.addTask { await watch(outbound, pulse) }
                    let ending = await group.next() ?? .broken
                    await close(ending)
                    group.cancelAll()
                }
            }
        } catch {
            // The connection is gone, which is an ending as well.
            frames.channel.close(promise: nil)
        }
    }

    private func deliver(_ outbound: Outbound, _ pulse: Pulse) async -> Ending {
        var current = subscription
        do {
            while let batch = try await feed.next(current) {
                guard !Task.isCancelled else { return .goingAway }
                for event in batch.events {
                    pulse.writing(true)
                    try await outbound.write(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: event.json.json)))
                    pulse.writing(false)
                }
                current.after = batch.upTo
            }
            return .goingAway
        } catch {
            return .broken
        }
    }

    /// What a client says is not listened to; control frames are.
    private func receive(_ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ outbound: Outbound, _ pulse: Pulse) async -> Ending {
        do {
            for try await frame in inbound {
                pulse.heard()
                // RFC 6455 §5.1: a client masks.
                guard frame.maskKey != nil else { return .unmasked }
                switch frame.opcode {
                case .connectionClose:
                    var data = frame.unmaskedData
                    return .byPeer(data.readWebSocketErrorCode())
                case .ping:
                    try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
                default: break
                }
            }
            return .byPeer(nil)
        } catch {
            return .broken
        }
    }

    /// Pings, and finds out who is no longer there or does not keep up.
    private func watch(_ outbound: Outbound, _ pulse: Pulse) async -> Ending {
        var pingAt = MonotonicClock.now() + Self.pingEvery
        do {
            while true {
                try await Task.sleep(for: .seconds(1))
                let (now, state) = (MonotonicClock.now(), pulse.look())
                if let since = state.writingSince, now - since > Self.stallLimit { return .tooSlow }
                if now - state.heardAt > Self.silenceLimit { return .silent }
                guard now >= pingAt, state.writingSince == nil else { continue }
                pingAt = now + Self.pingEvery
                try await outbound.write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()))
            }
        } catch {
            return .goingAway
        }
    }

    /// Past the writer, whose turn may never come; what the peer has not read stands in front of it, and has ten seconds to go.
    private func close(_ ending: Ending) async {
        let channel = frames.channel
        guard let code = ending.code, channel.isActive else { return }
        var data = channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        let sent = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: data), promise: sent)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // A failed write is a closed connection, which is what is wanted.
                try? await sent.futureResult.get()
            }
            group.addTask {
                guard (try? await Task.sleep(for: Self.farewell)) != nil else { return }
                channel.close(promise: nil)
            }
            await group.next()
            group.cancelAll()
        }
    }
}
