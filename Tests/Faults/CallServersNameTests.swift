import ChildProcesses
import Foundation
import FoundationNetworking
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`. The second has RabbitMQ at the end of a line that is cut; so it is given up, and another is
/// started in its place, under its name.
@Suite("CallServers: two processes bear one name (RELIABILITY K9)", .serialized, .timeLimit(.minutes(4)))
struct CallServersNameTests {
    private static let service = TwoCallServers.service
    private static let name = "TANDEM_AMQP_URL"

    let servers: TwoCallServers

    init() throws { servers = TwoCallServers(suite: try RunningSuite()) }

    private var suite: RunningSuite { servers.suite }

    @Test("the later one has the name; the earlier one is nobody's to send to and ends, when it reaches the broker again: no call is dropped, and what begins meanwhile is refused at once or goes well")
    func later() async throws {
        let url = try suite.setting(Self.name, of: Self.service, 2)
        var parts = try #require(URLComponents(string: url))
        let line = try CuttableLine(to: try #require(parts.port.flatMap { UInt16(exactly: $0) }))
        parts.port = Int(line.port)
        try await restart(with: try #require(parts.string))
        do { try await later(line, url) } catch {
            line.restore()
            try await restart(with: url)
            throw error
        }
        try await restart(with: url)
    }

    private func later(_ line: CuttableLine, _ url: String) async throws {
        try await withPhones(6, in: suite) { phones in
            let calls = [try await servers.talking(phones[0], phones[1], on: 2), try await servers.talking(phones[2], phones[3], on: 2)]
            for (outgoing, incoming) in calls {
                for call in [outgoing, incoming] {
                    #expect(await call.hearsSomething())
                    await call.forgetWhatWasHeard()
                }
            }
            let earlier = try suite.pid(of: Self.service, 2)
            line.cut()
            let later = try await other(url)
            defer { kill(later.process.processIdentifier, SIGKILL) }
            try await suite.eventually("the later one is ready", within: .seconds(20)) { await later.isReady() }
            line.restore()
            // While both live: the earlier one refuses what comes to it before the edge has heard of the later one.
            for _ in 0..<8 {
                let (outgoing, incoming) = try await begun(phones[4], phones[5])
                try await outgoing.hangup()
                _ = try await incoming.ended()
            }
            try await suite.eventually("the earlier one has ended", within: .seconds(20)) { kill(earlier, 0) != 0 }
            for _ in 0..<8 {
                let (outgoing, incoming) = try await connect(phones[4], phones[5])
                try await incoming.hold()
                try await incoming.resume()
                try await outgoing.hangup()
                _ = try await incoming.ended()
            }
            for (outgoing, incoming) in calls {
                try await outgoing.hold()
                try await outgoing.resume()
                for call in [outgoing, incoming] {
                    #expect(await call.hearsSomething())
                    let sound = await call.report.sound
                    #expect(sound.lost == 0 && sound.longestGap < .milliseconds(400))
                }
                try await incoming.hangup()
                #expect(try await outgoing.ended() == .hungUpThere)
            }
            #expect(await later.isReady(), "and the one that was started again waits for the name")
        }
    }

    /// What is refused with 503 is tried again, as phones do.
    private func begun(_ caller: PhoneLine, _ callee: PhoneLine) async throws -> (PhoneCall, PhoneCall) {
        let end = ContinuousClock.now + .seconds(3)
        while true {
            do { return try await connect(caller, callee) } catch PhoneError.refused(_, 503, _) where ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private struct Other {
        let process: ChildProcess
        let ready: URL

        func isReady() async -> Bool {
            guard let (_, response) = try? await URLSession.shared.data(for: URLRequest(url: ready, timeoutInterval: 2)) else { return false }
            return (response as? HTTPURLResponse)?.statusCode == 200
        }
    }

    /// The same program with the same settings, but ports of its own.
    private func other(_ url: String) async throws -> Other {
        let pid = try suite.pid(of: Self.service, 2)
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
        var settings: [String: String] = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
        for line in try String(contentsOfFile: "\(suite.folder)/settings/\(Self.service)-2", encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { settings[String(parts[0])] = String(parts[1]) }
        }
        let admin = "127.0.0.1:\(LocalPort.ten())"
        settings.merge([Self.name: url, "TANDEM_SIP_PORT": "0", "TANDEM_ADMIN_LISTEN": admin]) { $1 }
        let process = ChildProcess(program, [])
        process.environment = settings
        let log = "\(suite.folder)/logs/\(Self.service)-2-later.log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        (process.output, process.error) = (output, output)
        try process.run()
        return Other(process: process, ready: try #require(URL(string: "http://\(admin)/readyz")))
    }

    private func restart(with url: String) async throws {
        try suite.change(Self.name, to: url, of: Self.service, 2)
        // One that has just given way is about to be started again.
        var old: Int32 = 0
        try await suite.eventually("there is one to be restarted") {
            old = try suite.pid(of: Self.service, 2)
            return kill(old, SIGKILL) == 0
        }
        try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
        try await servers.bothServe()
    }
}
