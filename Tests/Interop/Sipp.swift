import Audio
import Foundation
import Suite
import Testing

/// SIPp's scenarios as tests hold them: what goes wrong is an issue.
struct Sipp {
    typealias Transport = SippScenario.Transport

    private let scenario: SippScenario
    var port: Int { scenario.port }

    /// - Parameters:
    ///   - tone: what it says meanwhile, in the scenario that speaks; Hz.
    init(
        _ name: String, as account: RunningSuite.Account, in suite: RunningSuite, port: Int = LocalPort.ten(),
        transport: Transport = .udp, dial: String? = nil, talk: Duration = .milliseconds(500), calls: Int = 1, perSecond: Int = 10,
        echo: Bool = false, expires: Int = 120, tone: Double? = nil
    ) throws {
        scenario = try SippScenario(
            name, as: account, in: suite, port: port, transport: transport, dial: dial, talk: talk, calls: calls, perSecond: perSecond,
            echo: echo, expires: expires
        ) { folder in
            guard let tone else { return }
            var sine = Tone(frequency: tone, level: .dBm0(-10))
            try Data(G711.encode(sine.next(10 * Samples.rate), .ulaw)).write(to: folder.appending(path: "tone.ulaw"))
        }
    }

    /// A phone that does what a script says. `dial`: whom it calls, or names.
    init(_ script: SippScript, as account: RunningSuite.Account, in suite: RunningSuite, port: Int = LocalPort.ten(), dial: String? = nil) throws {
        scenario = try SippScenario("\(script.side)", xml: script.xml, as: account, in: suite, port: port, dial: dial)
    }

    /// Waits until it listens: a callee must be there before it is called.
    func listening() async throws -> Sipp {
        try await scenario.listening()
        return self
    }

    /// The dialog of its call, once there is one.
    func dialog(isCaller: Bool, in suite: RunningSuite) async throws -> String {
        try await suite.eventually("there is a dialog") { scenario.dialog(isCaller: isCaller) != nil }
        return scenario.dialog(isCaller: isCaller) ?? ""
    }

    /// Waits until that is in a message it has sent or got.
    func traces(_ text: String, in suite: RunningSuite) async throws {
        try await suite.eventually("SIPp has seen \(text)") { scenario.traces(text) }
    }

    /// Waits for its end and records an issue, with all messages, unless every call went as the scenario says.
    func succeeds(within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation) async throws {
        if let trouble = try await scenario.trouble(within: limit) { Issue.record("\(trouble)", sourceLocation: sourceLocation) }
    }
}
