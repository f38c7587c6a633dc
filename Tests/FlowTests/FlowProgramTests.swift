import ChildProcesses
import Foundation
import Testing

@Suite("The program tandem, as who writes flows starts it (docs/flow-test.md)", .timeLimit(.minutes(1)))
final class FlowProgramTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "tandem-flow-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func file(_ name: String) -> String { folder.appending(path: name).path }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }

    /// Its exit status; what it prints is in the file `output`.
    private func tandem(_ arguments: String...) throws -> Int32 {
        try Data().write(to: folder.appending(path: "output"))
        let process = ChildProcess(ChildProcess.built("tandem"), ["flow"] + arguments)
        process.output = try FileHandle(forWritingTo: folder.appending(path: "output"))
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func write(_ name: String, expecting heard: String) throws {
        let flow = #"""
            {"actions": [{"id": "hello", "type": "talk", "option": {"text": "Hello."}}, {"id": "bye", "type": "hangup"}],
             "cases": [{"name": "greets", "expect": {"path": ["hello", "bye"], "heard": ["\#(heard)"]}}]}
            """#
        try Data(flow.utf8).write(to: folder.appending(path: name))
    }

    @Test("flow test returns 0 when all is as expected, and not when one case is not, which it names")
    func test() throws {
        try write("good.json", expecting: "Hello.")
        try write("bad.json", expecting: "Goodbye.")
        #expect(try tandem("test", file("good.json")) == 0)
        #expect(try text("output").contains("1 cases, 0 failed"))
        #expect(try tandem("test", file("good.json"), file("bad.json")) == 1)
        #expect(try text("output").contains("FAILED greets"))
        #expect(try tandem("test", file("missing.json")) == 1)
    }

    @Test("flow draw writes the flow as SVG, into a file or to its output")
    func draw() throws {
        try write("good.json", expecting: "Hello.")
        #expect(try tandem("draw", file("good.json"), file("good.svg")) == 0)
        let drawing = try text("good.svg")
        #expect(drawing.contains("<svg") && drawing.hasSuffix("</svg>\n") && drawing.contains("hello"))
        #expect(try tandem("draw", file("good.json")) == 0)
        #expect(try text("output") == drawing)
    }
}
