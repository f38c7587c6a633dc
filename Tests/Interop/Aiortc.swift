import Foundation
import Suite

/// aiortc, WebRTC without a browser: one of the phones of Tests/Fixtures/aiortc, over WSS.
struct Aiortc {
    private let program: Program

    /// `tone`: what it waits to hear; `speaking`: what it sends; `dial`: whom it calls, else it waits to be called
    /// and answers after `rings` seconds.
    init(as account: RunningSuite.Account, in suite: RunningSuite, tone: Int, speaking: Int, dial: String? = nil, rings: Int = 0) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/aiortc/talk.py")
        var arguments = [
            "-B", file.path, "--server", "wss://\(try suite.proxy(over: .wss))", "--certificate", suite.certificate, "--user", account.number,
            "--password", account.password, "--domain", suite.domain, "--tone", "\(tone)", "--speak", "\(speaking)", "--ring", "\(rings)",
        ]
        if let dial { arguments += ["--dial", dial] }
        // Debian's Python has Debian's aiortc.
        program = try Program("/usr/bin/python3", arguments)
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Waits until it has come so far; what it says went wrong ends the wait.
    func reports(_ step: String, within limit: Duration = .seconds(20)) async throws {
        try await program.until(limit, "report “\(step)”") {
            let lines = program.output.split(separator: "\n")
            if lines.contains(where: { $0.hasPrefix("failed") || $0.hasPrefix("Traceback") }) { throw Failed(description: program.output) }
            return lines.contains { $0 == step }
        }
    }
}

/// aiortc without signalling: whoever has it carries its descriptions.
struct AiortcPeer {
    private let program: Program

    /// `tone`: what it waits to hear; `speaking`: what it says.
    init(tone: Int, speaking: Int, offers: Bool) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/aiortc/peer.py")
        program = try Program(
            "/usr/bin/python3", ["-B", file.path, "--tone", "\(tone)", "--speak", "\(speaking)"] + (offers ? ["--offers"] : []))
    }

    /// What it has described.
    func description(_ name: String) async throws -> String {
        try await program.until(.seconds(20), "write \(name)") { !program.content(of: name).isEmpty }
        return program.content(of: name)
    }

    /// What its peer describes.
    func tell(_ name: String, _ description: String) throws {
        let part = program.folder.appending(path: name + ".part")
        try Data(description.utf8).write(to: part)
        try FileManager.default.moveItem(at: part, to: program.folder.appending(path: name))
    }

    func reports(_ step: String) async throws { try await program.prints(step + "\n", within: .seconds(20)) }
}
