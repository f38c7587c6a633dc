public import Foundation

/// SIPp (sip-tester): plays one of the scenarios of Tests/Fixtures/sipp, or a text of its own, against the suite, message by message.
public struct SippScenario: Sendable {
    public enum Transport: String, Sendable, CustomStringConvertible {
        case udp = "u1", tcp = "t1"

        public var description: String { self == .udp ? "udp" : "tcp" }
    }

    private let program: Program
    private let scenario: String
    public let port: Int

    /// - Parameters:
    ///   - account: whose phone it is; its password answers the challenges.
    ///   - dial: the number it calls, in a caller's scenario.
    ///   - talk: the time of the scenario's pause.
    ///   - xml: the scenario's text, when it is none of the fixtures.
    ///   - prepare: what else it wants in its folder.
    public init(
        _ scenario: String, xml: String? = nil, as account: RunningSuite.Account, in suite: RunningSuite, port: Int = LocalPort.ten(),
        transport: Transport = .udp, dial: String? = nil, talk: Duration = .milliseconds(500), calls: Int = 1, perSecond: Int = 10,
        echo: Bool = false, expires: Int = 120, prepare: (URL) throws -> Void = { _ in }
    ) throws {
        self.scenario = scenario
        self.port = port
        let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/sipp/\(scenario).xml")
        let file = xml == nil ? fixture.path : "scenario.xml"
        var arguments = [
            suite.sip.description, "-sf", file, "-i", "127.0.0.1", "-p", String(port), "-mp", String(port + 2), "-t",
            transport.rawValue, "-nostdin", "-m", String(calls), "-r", String(perSecond), "-d", String(Int(talk / .milliseconds(1))), "-key", "user", account.number, "-key", "expires", String(expires),
            "-au", account.number, "-ap", account.password, "-recv_timeout", "15000", "-trace_err", "-error_file", "errors",
            "-trace_msg", "-message_file", "messages",
        ]
        if let dial { arguments += ["-s", dial] }
        if echo { arguments.append("-rtp_echo") }
        program = try Program("sipp", arguments) { folder in
            if let xml { try Data(xml.utf8).write(to: folder.appending(path: file)) }
            try prepare(folder)
        }
    }

    /// Waits until it listens: a callee must be there before it is called.
    public func listening() async throws {
        try await program.until(.seconds(5), "open port \(port)") { LocalPort.isOpen(port) }
    }

    /// Whether that is in a message it has sent or got.
    public func traces(_ text: String) -> Bool { program.content(of: "messages").contains(text) }

    /// The dialog of its one call as a phone names it in Replaces and Join (RFC 3891 §6.1), the platform's tag being the first; nil: there is none
    /// yet. It is that of the last response to its INVITE that was no refusal.
    public func dialog(isCaller: Bool) -> String? {
        func tag(_ line: Substring) -> Substring? { line.range(of: ";tag=").map { line[$0.upperBound...].prefix { $0 != ";" } } }
        var (callID, from, to): (Substring?, Substring?, Substring?)
        var (found, isOne) = (String?.none, false)
        for line in program.content(of: "messages").split(whereSeparator: \.isNewline) {
            if line.hasPrefix("SIP/2.0 ") || line.hasSuffix(" SIP/2.0") {
                (callID, from, to) = (nil, nil, nil)
                isOne = line.hasPrefix("SIP/2.0 18") || line.hasPrefix("SIP/2.0 200")
            }
            if line.hasPrefix("Call-ID:") { callID = line.dropFirst(8).drop { $0 == " " } }
            if line.hasPrefix("From:") { from = tag(line) }
            if line.hasPrefix("To:") { to = tag(line) }
            if isOne, let callID, let from, let to { found = "\(callID);to-tag=\(isCaller ? to : from);from-tag=\(isCaller ? from : to)" }
        }
        return found
    }

    /// Waits for its end; unless every call went as the scenario says, what went wrong, with all messages.
    public func trouble(within limit: Duration = .seconds(20)) async throws -> String? {
        let status = try await program.end(within: limit)
        guard status != 0 else { return nil }
        let traced = program.content(of: "messages")
        let messages = traced.isEmpty ? program.output : traced
        return "sipp \(scenario) ended with \(status)\n\(program.content(of: "errors"))\n\(messages)"
    }
}
