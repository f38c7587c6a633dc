import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket
import Synchronization

/// One TCP connection: HTTP/1.1 requests, or, after the handshake of RFC 6455 §4, one event stream.
struct GatewayChannel: HTTPChannelHandler {
    typealias Requests = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    enum Negotiated: Sendable {
        case requests(Requests)
        case stream(Frames, EventSubscription)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiation: EventLoopFuture<Negotiated>
    }

    /// A client that opens a connection and says nothing.
    private static let firstRequestWithin = TimeAmount.seconds(20)
    private static let idleTimeout = Duration.seconds(75)
    /// What a stream may have on the way: the kernel's share of its back pressure.
    private static let streamSendBuffer = 128 * 1024

    let gateway: Gateway

    var responder: Responder {
        let gateway = gateway
        return { request, writer, channel in
            let head = RequestHead(request.head, peer: channel.peer)
            let response = await gateway.respond(to: head) { limit in
                do {
                    return Array(buffer: try await request.body.collect(upTo: limit))
                } catch is NIOTooManyBytesError {
                    throw Gateway.BodyTooLarge()
                }
            }
            try await writer.write(response: response.head, body: .init(byteBuffer: ByteBuffer(bytes: response.body)))
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let timeout = channel.eventLoop.scheduleTask(in: Self.firstRequestWithin) { channel.close(promise: nil) }
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration<Negotiated>(upgraders: [upgrader()]) { channel in
                    channel.eventLoop.makeCompletedFuture { .requests(try Self.requests(over: channel, logger: logger)) }
                })
            // Requests are taken one at a time, and parse errors are answered, by `handleHTTP`.
            configuration.enablePipelining = false
            configuration.enableErrorHandling = false
            configuration.decoderConfiguration.maxHeaderListSize = 32 * 1024
            configuration.decoderConfiguration.maxHeaderFieldCount = 100
            let negotiation = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
            negotiation.whenComplete { _ in timeout.cancel() }
            return Value(channel: channel, negotiation: negotiation)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiation.get() {
            case .requests(let requests): await handleHTTP(asyncChannel: requests, logger: logger)
            case .stream(let frames, let subscription):
                defer { gateway.feed.streams.leave() }
                await EventSocket(frames: frames, feed: gateway.feed, subscription: subscription).run()
            }
        } catch {
            logger.trace("a connection ended before its first request: \(error)")
            value.channel.close(promise: nil)
        }
    }

    private static func requests(over channel: any Channel, logger: Logger) throws -> Requests {
        try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try channel.pipeline.syncOperations.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
        return try Requests(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }

    /// Takes over connections whose first request is a handshake for the event stream by somebody who may see it. Everybody else
    /// goes on as HTTP and is told there what is wrong.
    private func upgrader() -> NIOTypedWebSocketServerUpgrader<Negotiated> {
        let gateway = gateway
        // Written before the upgrade is granted, read after it.
        let granted = Granted()
        return NIOTypedWebSocketServerUpgrader(
            maxFrameSize: EventSocket.largestFrame,
            shouldUpgrade: { channel, head in
                let promise = channel.eventLoop.makePromise(of: HTTPHeaders?.self)
                let head = RequestHead(head, peer: channel.peer)
                promise.completeWithTask {
                    guard let subscription = await gateway.subscription(head), gateway.feed.streams.enter() else { return nil }
                    granted.set(subscription)
                    return [:]
                }
                return promise.futureResult
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let subscription = granted.get() else { throw ChannelError.inappropriateOperationForState }
                    return .stream(try Frames(wrappingChannelSynchronously: channel), subscription)
                }.flatMap { negotiated in
                    channel.setOption(.socketOption(.so_sndbuf), value: Self.streamSendBuffer).map { negotiated }
                }
            })
    }

    private final class Granted: Sendable {
        private let subscription = Mutex<EventSubscription?>(nil)
        func set(_ granted: EventSubscription) { subscription.withLock { $0 = granted } }
        func get() -> EventSubscription? { subscription.withLock { $0 } }
    }
}

extension Gateway {
    /// What the stream of a handshake would show; nil when it is refused.
    func subscription(_ head: RequestHead) async -> EventSubscription? {
        guard case .found(let route, _) = table.match(method: head.method, path: head.path), case .webSocket = route.answer else {
            return nil
        }
        var allowance: TokenBuckets.Verdict?
        do {
            return try await Events.subscription(self, try await admit(head, to: route, allowance: &allowance))
        } catch {
            // The same request is answered with its problem as HTTP.
            return nil
        }
    }
}

extension Channel {
    /// The address of the other side, without its port.
    fileprivate var peer: String { remoteAddress?.ipAddress ?? "unknown" }
}

extension APIResponse {
    fileprivate var head: HTTPResponse {
        var fields = HTTPFields()
        fields[.contentType] = contentType
        fields[.location] = location
        fields[.cacheControl] = "no-store"
        fields[.xContentTypeOptions] = "nosniff"
        for (name, value) in self.fields {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        // RFC 9110 §8.6: a 204 has none.
        if status != 204 { fields[.contentLength] = String(body.count) }
        return HTTPResponse(status: .init(code: status), headerFields: fields)
    }
}
