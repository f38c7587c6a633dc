import ChildProcesses
import Foundation

extension RunningSuite {
    /// Somebody's transaction that keeps a table to itself until `release`: who wants it waits as long as it may.
    public final class TableLock: Sendable {
        private let process: ChildProcess
        private let input: Pipe

        fileprivate init(_ process: ChildProcess, _ input: Pipe) { (self.process, self.input) = (process, input) }

        public func release() {
            try? input.fileHandleForWriting.close()
            while process.isRunning { usleep(10_000) }
        }
    }

    /// Returns when it is held.
    public func lock(_ table: String) async throws -> TableLock {
        let name = "TANDEM_DATABASE_URL="
        let settings = try String(contentsOfFile: "\(folder)/settings/CallServer-1", encoding: .utf8)
        guard let line = settings.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { throw Missing.variable("TANDEM_DATABASE_URL") }
        let (input, output) = (Pipe(), Pipe())
        let process = ChildProcess("/usr/bin/psql", ["-qAtX", String(line.dropFirst(name.count))])
        (process.input, process.output) = (input.fileHandleForReading, output.fileHandleForWriting)
        try process.run()
        try output.fileHandleForWriting.close()
        try input.fileHandleForWriting.write(contentsOf: Data("begin; lock table \(table); select 'held';\n".utf8))
        let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard said.contains("held") else { throw Missing.refused("\(table) cannot be locked: \(said)") }
        return TableLock(process, input)
    }
}
