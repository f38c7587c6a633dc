import Flow
import FlowSimulation
import Foundation

/// `tandem flow check|test|draw FILE...` and `tandem flow bench`: for who writes flows. Needs no server.
@main
struct Program {
    static let usage = """
        usage: tandem flow check FILE...            validates flows
               tandem flow test [-v] FILE...        plays their cases in virtual time; -v tells all that happens
               tandem flow draw FILE [SVG]          draws the flow
               tandem flow bench [SECONDS]          measures the interpreter
        """

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 2, arguments[0] == "flow" else { leave(2, usage) }
        let rest = Array(arguments.dropFirst(2))
        switch arguments[1] {
        case "check" where !rest.isEmpty: exit(rest.map { check($0) }.allSatisfy(\.self) ? 0 : 1)
        case "test" where rest.contains { $0 != "-v" }:
            let files = rest.filter { $0 != "-v" }
            exit(files.map { test($0, isTold: rest.contains("-v")) }.allSatisfy(\.self) ? 0 : 1)
        case "draw" where (1...2).contains(rest.count): exit(draw(rest[0], to: rest.count > 1 ? rest[1] : nil) ? 0 : 1)
        case "bench" where rest.count <= 1: Benchmark.run(seconds: rest.first.flatMap(Double.init) ?? 2)
        default: leave(2, usage)
        }
    }

    static func leave(_ code: Int32, _ text: String) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        exit(code)
    }

    static let timeZones = TimeZones { name, unixSeconds in
        TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(unixSeconds)))
    }

    /// The file as a trial; nil when it has mistakes, which are told.
    private static func read(_ path: String) -> Trial? {
        guard let data = FileManager.default.contents(atPath: path) else {
            print("\(path): cannot be read")
            return nil
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do throws(JSONError) {
            let document = try JSONValue(json: Array(data))
            let found = Trial.read(document, validation: Validation(timeZones: timeZones)) { name in
                FileManager.default.contents(atPath: URL(fileURLWithPath: name, relativeTo: folder).path)
                    .flatMap { try? JSONValue(json: Array($0)) }
            }
            switch found {
            case .success(let trial): return trial
            case .failure(let problems):
                for problem in problems.list { print("\(path): \(problem.pointer): \(problem.detail) [\(problem.code.rawValue)]") }
            }
        } catch {
            print("\(path): \(error)")
        }
        return nil
    }

    private static func check(_ path: String) -> Bool {
        guard let trial = read(path) else { return false }
        print("\(path): \(trial.actions.count) actions, no mistake")
        return true
    }

    private static func test(_ path: String, isTold: Bool) -> Bool {
        guard let trial = read(path) else { return false }
        guard !trial.cases.isEmpty else {
            print("\(path): there are no cases in it")
            return false
        }
        let interpreter = Interpreter(timeZones: timeZones)
        var failed = 0
        let begin = ContinuousClock.now
        for script in trial.cases {
            let report = Player.play(script, of: trial, with: interpreter)
            print("\(report.mistakes.isEmpty ? "ok    " : "FAILED") \(script.name)")
            if isTold || !report.mistakes.isEmpty {
                for event in report.events { print("       \(String(repeating: " ", count: max(0, 9 - String(event.time).count)))\(event.time) ms  \(event.what)") }
            }
            for mistake in report.mistakes { print("       ! \(mistake)") }
            if !report.mistakes.isEmpty { failed += 1 }
        }
        let (_, attoseconds) = begin.duration(to: .now).components
        print("\(path): \(trial.cases.count) cases, \(failed) failed, \(attoseconds / 1_000_000_000_000_000) ms")
        return failed == 0
    }

    private static func draw(_ path: String, to output: String?) -> Bool {
        guard let trial = read(path) else { return false }
        let drawing = Drawing.svg(trial.actions, name: URL(fileURLWithPath: path).lastPathComponent)
        guard let output else {
            print(drawing, terminator: "")
            return true
        }
        guard FileManager.default.createFile(atPath: output, contents: Data(drawing.utf8)) else {
            print("\(output): cannot be written")
            return false
        }
        return true
    }
}
