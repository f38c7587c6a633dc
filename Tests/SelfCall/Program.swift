import Glibc

/// The call `make up` places: exit status 0 only when two phones registered, talked, heard each other and hung up.
@main
struct Program {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            for _ in 0..<options.repetitions { print(try await SelfCall(options: options).run()) }
        } catch let mistake as Options.Mistake {
            fail(mistake.text, status: 2)
        } catch let failure as SelfCall.Failure {
            fail(failure.text, status: 1)
        } catch {
            fail("\(error)", status: 1)
        }
    }

    private static func fail(_ text: String, status: Int32) -> Never {
        let line = Array("SelfCall: \(text)\n".utf8)
        _ = write(2, line, line.count)
        exit(status)
    }
}
