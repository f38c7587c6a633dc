import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

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

    private static let idleTimeout = Duration.seconds(75)
    /// What a stream may have on the way to its client, in bytes.
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
            try await writer.write(response: response.head, body: request.method == .head ? ResponseBody() : response.content)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let gateway = gateway
        return channel.eventLoop.makeCompletedFuture {
            let promise = channel.eventLoop.makePromise(of: Negotiated.self)
            var limits = NIOHTTPDecoderLimitConfiguration()
            (limits.maxHeaderListSize, limits.maxHeaderFieldCount) = (32 * 1024, 100)
            let encoder = HTTPResponseEncoder()
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
            let negotiator = Negotiator(codecs: (encoder, decoder), gateway: gateway, promise: promise) { channel in
                try Self.requests(over: channel, logger: logger)
            }
            try channel.pipeline.syncOperations.addHandler(encoder)
            try channel.pipeline.syncOperations.addHandler(decoder)
            try channel.pipeline.syncOperations.addHandler(negotiator)
            return Value(channel: channel, negotiation: promise.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiation.get() {
            case .requests(let requests): await handleHTTP(asyncChannel: requests, logger: logger)
            case .stream(let frames, let subscription):
                defer { gateway.feed.streams.leave() }
                // The kernel's share of its back pressure; a connection that is gone by now shows at the first write.
                try? await frames.channel.setOption(.socketOption(.so_sndbuf), value: Self.streamSendBuffer).get()
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

extension APIResponse {
    fileprivate var content: ResponseBody {
        guard let stream else { return .init(byteBuffer: ByteBuffer(bytes: body)) }
        return ResponseBody(contentLength: stream.length) { writer in
            var offset = 0
            while offset < stream.length {
                let piece = try await stream.read(offset)
                // The connection breaks: the client sees that it has not got all.
                guard !piece.isEmpty else { throw ChannelError.eof }
                try await writer.write(ByteBuffer(bytes: piece))
                offset += piece.count
            }
            try await writer.finish(nil)
        }
    }

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
        if status != 204 { fields[.contentLength] = String(stream?.length ?? body.count) }
        return HTTPResponse(status: .init(code: status), headerFields: fields)
    }
}
