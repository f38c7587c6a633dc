public import Addresses
import Foundation
import FoundationNetworking

/// A media relay that works alone, controlled over `ng`, as a process of its own.
public final class LoneRelay: Sendable {
    public enum Trouble: Error { case silent(String) }

    /// The first of ten ports: `ng` and admin.
    public let port: UInt16
    private let program: Program

    /// `environment` adds settings. Its RTP ports lie beside those of the suite.
    public init(environment: [String: String] = [:]) async throws {
        port = UInt16(LocalPort.ten())
        let settings = [
            "TANDEM_NG_LISTEN": "127.0.0.1:\(port)", "TANDEM_ADMIN_LISTEN": "127.0.0.1:\(port + 1)", "TANDEM_RTP_PORTS": "24000-28999",
            "TANDEM_DRAIN_SECONDS": "0",
        ]
        program = try Program(Program.built("MediaRelay"), [], environment: settings.merging(environment) { _, given in given })
        try await program.until(.seconds(15), "be ready") { await self.isReady() }
    }

    /// Where requests go.
    public var control: SocketAddress { SocketAddress(.loopbackIPv4, port: port) }

    public var log: String { program.output }

    /// The sum of a counter over all labels that contain `label`.
    public func metric(_ name: String, _ label: String = "") async throws -> Double {
        try await page("metrics").split(separator: "\n").filter { $0.hasPrefix(name) && (label.isEmpty || $0.contains(label)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    private func isReady() async -> Bool { (try? await page("readyz")) != nil }

    private func page(_ name: String) async throws -> String {
        guard let url = URL(string: "http://127.0.0.1:\(port + 1)/\(name)") else { throw Trouble.silent(name) }
        let (data, response) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 5))
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw Trouble.silent(name) }
        return String(decoding: data, as: UTF8.self)
    }
}
