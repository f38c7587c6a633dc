import Foundation
import Suite

/// What the tests that crash servers have in common.
extension RunningSuite {
    /// What was refused while something was away may be asked again.
    func again(within limit: Duration, _ body: () async throws -> Void) async throws {
        let end = ContinuousClock.now + limit
        while true {
            do { return try await body() } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }

    /// Seen, and kept beside the logs.
    func note(_ line: String) {
        print(line)
        let file = "\(folder)/servers.txt"
        let before = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        try? (before + line + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }
}
