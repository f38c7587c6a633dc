import Foundation
import Glibc

/// A program nobody here wrote, run in a folder of its own. What it prints is kept; a test that fails shows it.
final class Program: Sendable {
    let name: String
    let folder: URL
    private let process: Process

    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts it. `prepare` puts the files it wants into its folder, which is also its working directory.
    init(_ name: String, _ arguments: [String], prepare: (URL) throws -> Void = { _ in }) throws {
        self.name = name
        folder = FileManager.default.temporaryDirectory.appending(path: "tandem-\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try prepare(folder)
        let file = folder.appending(path: "output")
        try Data().write(to: file)
        let output = try FileHandle(forWritingTo: file)
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    var isRunning: Bool { process.isRunning }

    var output: String { content(of: "output") }

    /// A file of its folder as text; empty when it is not there.
    func content(of file: String) -> String {
        (try? Data(contentsOf: folder.appending(path: file))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Its exit status; one that does not end in time is stopped, and that is an error.
    func end(within limit: Duration) async throws -> Int32 {
        try await until(limit) { !self.process.isRunning }
        return process.terminationStatus
    }

    /// Waits until it has printed `text`.
    func prints(_ text: String, within limit: Duration) async throws {
        try await until(limit, "print “\(text)”") { self.output.contains(text) }
    }

    /// At once, and for good: Foundation's children inherit a thread's blocked signals, so SIGTERM may not reach them.
    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Waits for `condition`; when the time is over, the program is stopped and the error shows what it said.
    func until(_ limit: Duration, _ what: String = "end", _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else {
                let said = output.suffix(3000)
                stop()
                throw Overdue(description: "\(name) did not \(what) within \(limit); it printed:\n\(said)")
            }
            try await Task.sleep(for: .milliseconds(30))
        }
    }
}
