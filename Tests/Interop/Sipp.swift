import Audio
import Foundation
import Suite
import Testing

/// SIPp (sip-tester): plays one of the scenarios of Tests/Fixtures/sipp against the suite, message by message.
struct Sipp {
    enum Transport: String { case udp = "u1", tcp = "t1" }

    private let program: Program
    private let scenario: String
    let port: Int

    /// - Parameters:
    ///   - account: whose phone it is; its password answers the challenges.
    ///   - dial: the number it calls, in a caller's scenario.
    ///   - talk: the time of the scenario's pause.
    ///   - tone: what it says meanwhile, in the scenario that speaks; Hz.
    init(
        _ scenario: String, as account: RunningSuite.Account, in suite: RunningSuite, port: Int = LocalPort.ten(),
        transport: Transport = .udp, dial: String? = nil, talk: Duration = .milliseconds(500), calls: Int = 1, perSecond: Int = 10,
        echo: Bool = false, expires: Int = 120, tone: Double? = nil
    ) throws {
        self.scenario = scenario
        self.port = port
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/sipp/\(scenario).xml")
        var arguments = [
            suite.sip.description, "-sf", file.path, "-i", "127.0.0.1", "-p", String(port), "-mp", String(port + 2), "-t",
            transport.rawValue, "-nostdin", "-m", String(calls), "-r", String(perSecond), "-d", String(Int(talk / .milliseconds(1))), "-key", "user", account.number, "-key", "expires", String(expires),
            "-au", account.number, "-ap", account.password, "-recv_timeout", "15000", "-trace_err", "-error_file", "errors",
            "-trace_msg", "-message_file", "messages",
        ]
        if let dial { arguments += ["-s", dial] }
        if echo { arguments.append("-rtp_echo") }
        program = try Program("sipp", arguments) { folder in
            guard let tone else { return }
            var sine = Tone(frequency: tone, level: .dBm0(-10))
            try Data(G711.encode(sine.next(10 * Samples.rate), .ulaw)).write(to: folder.appending(path: "tone.ulaw"))
        }
    }

    /// Waits until it listens: a callee must be there before it is called.
    func listening() async throws -> Sipp {
        try await program.until(.seconds(5), "open port \(port)") { LocalPort.isOpen(port) }
        return self
    }

    /// Waits for its end and records an issue, with all messages, unless every call went as the scenario says.
    func succeeds(within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let status = try await program.end(within: limit)
        if status != 0 {
            let traced = program.content(of: "messages")
            let messages = traced.isEmpty ? program.output : traced
            Issue.record(
                "sipp \(scenario) ended with \(status)\n\(program.content(of: "errors"))\n\(messages)",
                sourceLocation: sourceLocation)
        }
    }
}
