internal import Addresses
internal import Hummingbird
internal import Logging
internal import Telemetry

/// The port for operators: `/livez` (the process), `/readyz` (its servers and not draining), `/healthz` (both, as JSON), `/metrics`.
///
/// Bound to loopback unless the setting says otherwise (V26).
struct AdminServer {
    let address: SocketAddress
    let service: String
    let instance: String
    let health: Health
    let logger: Logger

    func run() async throws {
        let router = Router()
        let health = health
        let (service, instance) = (service, instance)
        router.get("/livez") { _, _ in "ok\n" }
        router.get("/readyz") { _, _ -> Response in
            let missing = health.missing
            return Self.plain(missing.isEmpty ? .ok : .serviceUnavailable, missing.isEmpty ? "ready\n" : "waiting for \(missing.joined(separator: ", "))\n")
        }
        router.get("/healthz") { _, _ -> Response in
            let body = health.document(service: service, instance: instance)
            return Self.plain(health.missing.isEmpty ? .ok : .serviceUnavailable, body, type: "application/json")
        }
        router.get("/metrics") { _, _ in
            Self.plain(.ok, Metrics.exposition(), type: "text/plain; version=0.0.4")
        }
        var quiet = logger
        // It ends by being cancelled, which it would call an error.
        quiet.logLevel = .critical
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(address.address.description, port: Int(address.port)), serverName: nil),
            logger: quiet)
        do {
            try await application.run()
        } catch let error where !(error is CancellationError) {
            throw Unavailable(text: "the admin port \(address) cannot be opened (\(error)): stop what uses it or set TANDEM_ADMIN_LISTEN")
        }
    }

    struct Unavailable: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }

    private static func plain(_ status: HTTPResponse.Status, _ body: String, type: String = "text/plain") -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}

/// The version of the suite; every service is built from the same tree.
public enum Version {
    public static let current = "0.1.0"
}
