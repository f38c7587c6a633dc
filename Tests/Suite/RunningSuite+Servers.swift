import ChildProcesses
import Foundation

/// The suite's private RabbitMQ, Redis and PostgreSQL, as `deploy/local/servers` starts them.
extension RunningSuite {
    public enum Server: String, CaseIterable, Sendable { case rabbitmq, redis, postgres }

    /// Ends one of them as a crash does; Redis has forgotten everything when it is back.
    public func crash(_ server: Server) async throws { try await servers("kill", server.rawValue) }

    /// The same of some at one moment.
    public func crash(_ servers: [Server]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { try await crash(server) } }
            try await group.waitForAll()
        }
    }

    /// The same, and what nobody waited for to be on disk since `holdWriter` is gone, not only what the disk alone had not.
    public func crashPostgres(holding writer: Int32) async throws {
        async let crash: Void = crash(.postgres)
        // It is told to end while it is held, and does so before it does anything else.
        try await Task.sleep(for: .milliseconds(300))
        kill(writer, SIGCONT)
        try await crash
    }

    /// Has PostgreSQL's writer of its log stand still: commits that wait for no disk stay in its memory until one that does comes.
    public func holdWriter() throws -> Int32 {
        guard let writer = try processes(titled: "postgres: walwriter").first, kill(writer, SIGSTOP) == 0 else {
            throw Missing.refused("PostgreSQL has no walwriter that could be held")
        }
        return writer
    }

    /// Has those back that are not there.
    public func startServers() async throws { try await servers("start") }

    private func servers(_ words: String...) async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = ChildProcess("/usr/bin/env", ["bash", root.appending(path: "deploy/local/servers").path] + words)
        process.environment = ProcessInfo.processInfo.environment.merging(["RUN": folder]) { $1 }
        let log = "\(folder)/logs/servers-of-the-tests-\(words.joined(separator: "-")).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        (process.output, process.error) = (output, output)
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        guard process.terminationStatus == 0 else {
            throw Missing.refused("servers \(words): \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }
}
