import HummingbirdCore
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Holds the first request of a connection until it is decided what the connection becomes: HTTP, or an event stream.
///
/// NIO's own upgrade handler drops a request whose upgrade is refused; here it goes on as HTTP and is answered there, with 401 or
/// whatever the reason is.
final class Negotiator: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        case deciding(Handshake, sawEnd: Bool)
        /// The rest of the request is still to come.
        case granted(Handshake, EventSubscription)
        case upgrading(EventSubscription)
        case done
    }

    /// A client that opens a connection and says nothing.
    private static let firstRequestWithin = TimeAmount.seconds(20)
    private static let mostHeld = 64

    private let codecs: (encoder: HTTPResponseEncoder, decoder: ByteToMessageHandler<HTTPRequestDecoder>)
    private let gateway: Gateway
    private let becomeHTTP: (any Channel) throws -> GatewayChannel.Requests
    private let promise: EventLoopPromise<GatewayChannel.Negotiated>
    private var state = State.waiting
    private var held: [NIOAny] = []
    private var timeout: Scheduled<Void>?

    init(
        codecs: (encoder: HTTPResponseEncoder, decoder: ByteToMessageHandler<HTTPRequestDecoder>), gateway: Gateway,
        promise: EventLoopPromise<GatewayChannel.Negotiated>, becomeHTTP: @escaping (any Channel) throws -> GatewayChannel.Requests
    ) {
        (self.codecs, self.gateway, self.promise, self.becomeHTTP) = (codecs, gateway, promise, becomeHTTP)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: Self.firstRequestWithin) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { abandon() }

    func channelInactive(context: ChannelHandlerContext) {
        abandon()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A malformed request is answered where HTTP is spoken.
        if case .waiting = state { passOn(context, error) } else { context.fireErrorCaught(error) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, case .waiting = state { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .done = state { return context.fireChannelRead(data) }
        held.append(data)
        guard held.count <= Self.mostHeld else { return context.close(promise: nil) }
        switch state {
        case .waiting:
            guard case .head(let head) = unwrapInboundIn(data), let handshake = Handshake(head) else { return passOn(context) }
            state = .deciding(handshake, sawEnd: false)
            decide(RequestHead(head, peer: context.channel.peer), context)
        case .deciding(let handshake, _):
            if case .end = unwrapInboundIn(data) { state = .deciding(handshake, sawEnd: true) }
        case .granted(let handshake, let subscription):
            if case .end = unwrapInboundIn(data) { upgrade(context, handshake, subscription) }
        case .upgrading, .done:
            break
        }
    }

    private func decide(_ head: RequestHead, _ context: ChannelHandlerContext) {
        let (gateway, decision) = (gateway, context.eventLoop.makePromise(of: EventSubscription?.self))
        decision.completeWithTask {
            guard let subscription = await gateway.subscription(head), gateway.feed.streams.enter() else { return nil }
            return subscription
        }
        decision.futureResult.assumeIsolated().whenComplete { result in
            // The task does not throw.
            guard case .success(let subscription?) = result else { return self.passOn(context) }
            guard case .deciding(let handshake, let sawEnd) = self.state else {
                // The client did not wait.
                return gateway.feed.streams.leave()
            }
            self.state = .granted(handshake, subscription)
            if sawEnd { self.upgrade(context, handshake, subscription) }
        }
    }

    private func passOn(_ context: ChannelHandlerContext, _ error: (any Error)? = nil) {
        if case .done = state { return }
        settle(Result { .requests(try becomeHTTP(context.channel)) }, context, error)
    }

    private func upgrade(_ context: ChannelHandlerContext, _ handshake: Handshake, _ subscription: EventSubscription) {
        // What follows the request are frames.
        (state, held) = (.upgrading(subscription), [])
        context.writeAndFlush(wrapOutboundOut(.head(handshake.response)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        pipeline.removeHandler(codecs.decoder).assumeIsolated().flatMap {
            pipeline.removeHandler(self.codecs.encoder)
        }.whenComplete { result in
            guard case .upgrading = self.state else { return }
            self.settle(result.flatMap { Result { try self.frames(context, subscription) } }, context)
        }
    }

    private func frames(_ context: ChannelHandlerContext, _ subscription: EventSubscription) throws -> GatewayChannel.Negotiated {
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(WebSocketFrameEncoder())
        try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: EventSocket.largestFrame)))
        try pipeline.addHandler(WebSocketProtocolErrorHandler())
        return .stream(try GatewayChannel.Frames(wrappingChannelSynchronously: context.channel), subscription)
    }

    /// Replays what was held to whatever the connection has become, and leaves.
    private func settle(
        _ result: Result<GatewayChannel.Negotiated, any Error>, _ context: ChannelHandlerContext, _ error: (any Error)? = nil
    ) {
        let replayed = held
        if case .success = result { (state, held) = (.done, []) }
        timeout?.cancel()
        switch result {
        case .success(let negotiated):
            promise.succeed(negotiated)
            for data in replayed { context.fireChannelRead(data) }
            context.fireChannelReadComplete()
            if let error { context.fireErrorCaught(error) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        case .failure:
            context.close(promise: nil)
        }
    }

    /// The connection ended before it became anything.
    private func abandon() {
        timeout?.cancel()
        switch state {
        case .done: return
        case .granted, .upgrading: gateway.feed.streams.leave()
        case .waiting, .deciding: break
        }
        (state, held) = (.done, [])
        promise.fail(ChannelError.eof)
    }
}

extension Channel {
    /// The address of the other side, without its port.
    var peer: String { remoteAddress?.ipAddress ?? "unknown" }
}
