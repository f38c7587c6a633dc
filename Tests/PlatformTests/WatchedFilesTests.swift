import Foundation
import Testing

@testable import ServiceKit

@Suite("Files that are read again while a service runs", .serialized)
struct WatchedFilesTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "watched-\(UUID().uuidString)").path

    @Test("a file that comes, changes, is replaced or goes has a new stamp; one that is only read has not")
    func stamps() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let files = WatchedFiles([path])
        var stamps = [files.stamp]
        try Data("one".utf8).write(to: URL(filePath: path))
        stamps.append(files.stamp)
        _ = try Data(contentsOf: URL(filePath: path))
        #expect(files.stamp == stamps.last)
        try Data("three".utf8).write(to: URL(filePath: path))
        stamps.append(files.stamp)
        // As long as before, and put in its place as a whole.
        try Data("seven".utf8).write(to: URL(filePath: path), options: .atomic)
        stamps.append(files.stamp)
        try FileManager.default.removeItem(atPath: path)
        #expect(files.stamp == stamps[0])
        for (index, stamp) in stamps.enumerated() { #expect(!stamps[..<index].contains(stamp)) }
    }

    @Test("SIGHUP does not end the process: it is a change of every file")
    func hangUp() async {
        HangUps.listen()
        let files = WatchedFiles([path])
        let before = files.stamp
        let (changes, changed) = AsyncStream.makeStream(of: Void.self)
        let watching = Task { await files.watch(since: before, every: .milliseconds(1)) { changed.yield() } }
        // Not `raise`: the threads of tasks take no signals.
        kill(getpid(), SIGHUP)
        var heard = changes.makeAsyncIterator()
        #expect(await heard.next() != nil)
        #expect(files.stamp != before)
        watching.cancel()
        await watching.value
    }
}
