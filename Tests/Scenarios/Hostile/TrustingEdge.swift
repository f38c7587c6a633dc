import Addresses
import Foundation
import SIP
import Suite

/// An edge alone, which trusts whoever torments it, in front of one server that answers 200 to everything and remembers it.
final class TrustingEdge {
    let server: AnsweringServer
    private let edge: LoneEdge

    init() async throws {
        server = try AnsweringServer()
        edge = try await LoneEdge(servers: [server.address.port])
    }

    var address: SocketAddress { SocketAddress(.loopbackIPv4, port: edge.port) }

    var isRunning: Bool { kill(edge.pid, 0) == 0 }

    /// Resident memory in KiB.
    func memory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(edge.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        guard let size = line.split(separator: " ").compactMap({ Int($0) }).first else { throw Loopback.Trouble.socket("no VmRSS") }
        return size
    }
}
