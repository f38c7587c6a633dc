import ChildProcesses
public import Foundation
import Glibc

/// A program nobody here wrote, run in a folder of its own. What it prints is kept; a test that fails shows it.
public final class Program: Sendable {
    public let name: String
    public let folder: URL
    private let process: ChildProcess

    public struct Overdue: Error, CustomStringConvertible {
        public let description: String
    }

    /// Starts it. `prepare` puts the files it wants into its folder, which is also its working directory. Without an environment
    /// of its own it gets that of the tests.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, prepare: (URL) throws -> Void = { _ in }
    ) throws {
        name = URL(filePath: program).lastPathComponent
        folder = FileManager.default.temporaryDirectory.appending(path: "tandem-\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try prepare(folder)
        let file = folder.appending(path: "output")
        try Data().write(to: file)
        let output = try FileHandle(forWritingTo: file)
        process = ChildProcess("/usr/bin/env", [program] + arguments)
        process.environment = environment
        process.folder = folder.path
        (process.output, process.error) = (output, output)
        try process.run()
    }

    /// The path of a program of ours: it lies beside these tests.
    public static func built(_ name: String) -> String { ChildProcess.built(name) }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    public var isRunning: Bool { process.isRunning }

    public var output: String { content(of: "output") }

    /// A file of its folder as text; empty when it is not there.
    public func content(of file: String) -> String {
        (try? Data(contentsOf: folder.appending(path: file))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Its exit status; one that does not end in time is stopped, and that is an error.
    public func end(within limit: Duration) async throws -> Int32 {
        try await until(limit) { !self.process.isRunning }
        return process.terminationStatus
    }

    /// Waits until it has printed `text`.
    public func prints(_ text: String, within limit: Duration) async throws {
        try await until(limit, "print “\(text)”") { self.output.contains(text) }
    }

    /// At once, and for good. The processes it has started go with it: nobody else would end them.
    public func stop() {
        guard process.isRunning else { return }
        let family = [process.processIdentifier] + Self.descendants(of: process.processIdentifier)
        for member in family { kill(member, SIGKILL) }
    }

    private static func descendants(of parent: Int32) -> [Int32] {
        // Not there: it has ended meanwhile, and has none.
        let list = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
        let children = list.split(separator: " ").compactMap { Int32($0) }
        return children + children.flatMap(descendants)
    }

    /// Waits for `condition`; when the time is over, the program is stopped and the error shows what it said.
    public func until(_ limit: Duration, _ what: String = "end", _ condition: () async throws -> Bool) async throws {
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
