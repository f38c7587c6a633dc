public import Addresses
import ChildProcesses
import Foundation
import FoundationNetworking
public import SIP

/// An edge that works alone, as a process of its own: for what an edge does by itself, and for what needs one that can be
/// killed. It trusts this machine and listens on ports nobody else has.
public final class LoneEdge: Sendable {
    public enum Trouble: Error { case silent(String) }

    /// The first of ten ports: UDP and TCP, TLS, WS, WSS, admin, and the inside ports of its loops.
    public let port: UInt16
    private let process: ChildProcess
    private let output: URL

    /// With the same `key` two edges read each other's tokens. `environment` adds settings; with a certificate there it also
    /// listens for TLS and WSS.
    public init(
        servers: [UInt16], key: String = LoneEdge.makeKey(), loops: Int = 1, hosts: [String] = ["127.0.0.1"],
        environment: [String: String] = [:]
    ) async throws {
        port = UInt16(LocalPort.ten())
        output = FileManager.default.temporaryDirectory.appending(path: "tandem-edge-\(port)-\(UUID().uuidString)")
        try Data().write(to: output)
        let folder = ProcessInfo.processInfo.environment["BIN"] ?? FileManager.default.currentDirectoryPath + "/.build/debug"
        process = ChildProcess(folder + "/EdgeProxy")
        var settings = [
            "TANDEM_SIP_LISTEN": hosts.map { [port] in "\($0):\(port)" }.joined(separator: ","), "TANDEM_WS_LISTEN": "127.0.0.1:\(port + 2)",
            "TANDEM_ADMIN_LISTEN": "127.0.0.1:\(port + 4)", "TANDEM_INSIDE_SIP_PORT": "\(port + 5)",
            "TANDEM_EDGE_LOOPS": "\(loops)", "TANDEM_CLUSTER_KEY": key, "TANDEM_TRUSTED": "127.0.0.0/8",
            "TANDEM_CALL_SERVERS": servers.map { "127.0.0.1:\($0)" }.joined(separator: ","),
        ]
        if environment["TANDEM_TLS_CERTIFICATE"] != nil {
            settings["TANDEM_TLS_LISTEN"] = "127.0.0.1:\(port + 1)"
            settings["TANDEM_WSS_LISTEN"] = "127.0.0.1:\(port + 3)"
        }
        process.environment = settings.merging(environment) { _, given in given }
        let file = try FileHandle(forWritingTo: output)
        (process.output, process.error) = (file, file)
        try process.run()
        try await eventually("be ready") { await self.isReady() }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: output)
    }

    public static func makeKey() -> String {
        (0..<32).map { _ in String(UInt8.random(in: 16...255), radix: 16) }.joined()
    }

    /// Where phones reach it over UDP and TCP.
    public var sip: SocketAddress { SocketAddress(.loopbackIPv4, port: port) }

    public func port(of transport: Transport) -> UInt16 {
        switch transport {
        case .udp, .tcp: port
        case .tls: port + 1
        case .ws: port + 2
        case .wss: port + 3
        }
    }

    /// Where servers reach one of its loops.
    public func insidePort(ofLoop index: UInt16 = 0) -> UInt16 { port + 5 + index }

    /// What it has printed.
    public var log: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    public var pid: Int32 { process.processIdentifier }

    /// Without warning, as a crash does.
    public func kill() {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks it to read its certificates again.
    public func hangUp() { _ = Foundation.kill(process.processIdentifier, SIGHUP) }

    /// The sum of a counter or gauge over all labels that contain `label`.
    public func metric(_ name: String, _ label: String = "") async throws -> Double {
        try await page("metrics").split(separator: "\n").filter { $0.hasPrefix(name) && (label.isEmpty || $0.contains(label)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    /// Waits for a condition; in vain is a failure that shows what the edge has printed.
    public func eventually(_ what: String, within limit: Duration = .seconds(15), _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else { throw Trouble.silent("the edge did not \(what):\n\(log.suffix(2_000))") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func isReady() async -> Bool { (try? await page("readyz")) != nil }

    /// What its admin port shows under this name.
    public func page(_ name: String) async throws -> String {
        guard let url = URL(string: "http://127.0.0.1:\(port + 4)/\(name)") else { throw Trouble.silent(name) }
        let (data, response) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 5))
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw Trouble.silent(name) }
        return String(decoding: data, as: UTF8.self)
    }
}

enum LocalAddress {
    static func of(_ port: UInt16, _ host: IPAddress = .loopbackIPv4) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = (host.v4 ?? 0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }
}
