import ChildProcesses
import Foundation

extension RunningSuite {
    /// A command to the suite's Redis, as an operator gives it; what it prints.
    @discardableResult
    public func redis(_ arguments: String...) throws -> String {
        let name = "TANDEM_REDIS_URL="
        let settings = try String(contentsOfFile: "\(folder)/settings/CallServer-1", encoding: .utf8)
        guard let line = settings.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { throw Missing.variable("TANDEM_REDIS_URL") }
        return String(decoding: try ChildProcess.output(of: "/usr/bin/redis-cli", ["-u", String(line.dropFirst(name.count))] + arguments), as: UTF8.self)
    }
}
