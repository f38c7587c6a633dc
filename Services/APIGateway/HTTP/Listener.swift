import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The port of the API: open while `run` runs.
struct Listener: Sendable {
    let host: String
    let port: Int
    let logger: Logger
    private let server: Server<GatewayChannel>
    private let opened: Opened

    init(host: String, port: Int, gateway: Gateway, logger: Logger) {
        (self.host, self.port, self.logger) = (host, port, logger)
        let opened = Opened()
        self.opened = opened
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        server = Server(
            childChannelSetup: GatewayChannel(gateway: gateway),
            configuration: .init(address: .hostname(host, port: port), backlog: 1_024),
            onServerRunning: { _ in opened.resolve(.success(())) }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
    }

    /// Ends when the listener is closed.
    func run() async {
        do {
            try await server.run()
        } catch {
            opened.resolve(.failure(Unopened(address: "\(host):\(port)", cause: error)))
        }
    }

    /// Returns once connections are accepted.
    func waitUntilOpen() async throws { try await opened.value() }

    /// Takes no new connection and lets requests under way finish.
    func close() async {
        do { try await server.shutdownGracefully() } catch { logger.debug("the listener did not close cleanly: \(error)") }
    }

    struct Unopened: Error, CustomStringConvertible {
        let address: String
        let cause: any Error

        var description: String {
            if let error = cause as? IOError, error.errnoCode == EADDRINUSE {
                return "\(address) is in use by another process: stop it or set TANDEM_API_LISTEN"
            }
            return "\(address) cannot be listened on (\(cause)): set TANDEM_API_LISTEN"
        }
    }

    /// Whether the port opened, known once.
    private final class Opened: Sendable {
        private enum State {
            case unknown([CheckedContinuation<Void, any Error>])
            case known(Result<Void, any Error>)
        }

        private let state = Mutex(State.unknown([]))

        func resolve(_ result: Result<Void, any Error>) {
            let waiting = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
                guard case .unknown(let waiting) = state else { return [] }
                state = .known(result)
                return waiting
            }
            for one in waiting { one.resume(with: result) }
        }

        func value() async throws {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<Void, any Error>? in
                    switch state {
                    case .known(let result): return result
                    case .unknown(let waiting):
                        state = .unknown(waiting + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(with: known) }
            }
        }
    }
}
