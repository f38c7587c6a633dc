import Foundation
import Suite

/// The other side of a media stream: a WebSocket server of Debian's Python (Tests/Fixtures/streams/bot.py).
struct StreamBot {
    let program: Program
    let port: Int

    init(_ arguments: [String]) async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/streams/bot.py")
        let program = try Program("/usr/bin/python3", ["-B", file.path] + arguments)
        var found: Int?
        try await program.until(.seconds(20), "say its port") {
            found = program.output.split(separator: "\n").first { $0.hasPrefix("port ") }.flatMap { Int($0.dropFirst(5)) }
            return found != nil
        }
        guard let found else { throw RunningSuite.Missing.refused("no port") }
        (self.program, port) = (program, found)
    }

    var url: String { "ws://127.0.0.1:\(port)/listen?token=secret" }

    func prints(_ text: String, within limit: Duration = .seconds(10)) async throws { try await program.prints(text, within: limit) }

    /// What follows this word in the lines that begin with it.
    func lines(_ word: String) -> [String] {
        program.output.split(separator: "\n").filter { $0.hasPrefix(word + " ") }.map { String($0.dropFirst(word.count + 1)) }
    }

    func stop() { program.stop() }
}
