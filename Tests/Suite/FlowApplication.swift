import Foundation
import FoundationNetworking

/// A customer's application that flows ask (Tests/Fixtures/flow-app), with the customer's signing secret.
public final class FlowApplication: Sendable {
    private let program: Program
    /// `http://127.0.0.1:PORT`
    public let address: String

    public init(_ suite: RunningSuite) async throws {
        let secret = try await suite.request("GET", "/v1/flows/signing_secret").body["secret"]?.string ?? ""
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/flow-app/app.py")
        program = try Program("/usr/bin/python3", ["-B", script.path, secret])
        try await program.prints(".", within: .seconds(10))
        let port = program.output.split(separator: " ").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        address = "http://127.0.0.1:\(port)"
    }

    /// How often each path was asked, and how many requests were not signed (`unsigned`).
    public func seen() async throws -> [String: Int] {
        guard let url = URL(string: address + "/seen") else { return [:] }
        return try JSONDecoder().decode([String: Int].self, from: try await URLSession.shared.data(from: url).0)
    }

    public func stop() { program.stop() }
}
