import Glibc
import Phone
import Synchronization

/// Measures the running suite and prints one line per figure, with the target beside it. It judges nothing: a busy machine
/// is no defect.
@main
struct Program {
    static let usage = """
        usage: Benchmarks [setup] [calls] [bus] [room] [kill] [server [--mixed]] [parked] [ear] [steps] [--seconds N] [--rate N] [--calls N] [--talkers N]
               Benchmarks peer-room --pid PROCESS --port PORT [--seconds N] [--talkers N]
               Benchmarks sessions [--calls N] [--kind plain|srtp|dtls|g722] [--fingerprint HEX]
        Without a name setup, calls and bus are measured. Wants the running suite: `make bench`, or `source .run/demo.env` and TANDEM_AMQP_URL.
        """

    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch let missing as Settings.Missing {
            fail(missing.text, status: 2)
        } catch {
            fail("\(error)", status: 1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        if arguments.first == "sessions" { return try await openSessions(arguments.dropFirst()) }
        if arguments.first == "peer-room" { return show(try await peerRoom(arguments.dropFirst()).run()) }
        var names: Set<String> = []
        var numbers: [String: Int] = [:]
        var isMixed = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--mixed": isMixed = true
            case "setup", "calls", "bus", "room", "kill", "server", "parked", "ear", "steps": names.insert(argument)
            case "--seconds", "--rate", "--calls", "--talkers":
                guard let text = rest.popFirst(), let number = Int(text), (1...10_000).contains(number) else {
                    throw Settings.Missing(text: "\(argument) wants a number from 1 to 10000")
                }
                numbers[argument] = number
            default: throw Settings.Missing(text: "unknown argument \(argument)\n\(usage)")
            }
        }
        PhoneLoops.priority.store(1, ordering: .relaxed)
        let all = names.isEmpty
        if all || names.contains("bus") {
            if let url = Settings.variable("TANDEM_AMQP_URL") {
                show(try await BusRoundTrip(url: url).run())
            } else if !all {
                throw Settings.Missing(text: "set TANDEM_AMQP_URL to measure the bus")
            } else {
                show([Figure(subject: "bus RPC between two services", value: "not measured: set TANDEM_AMQP_URL", target: "median <= 0.6 ms")])
            }
        }
        if names.contains("room") {
            guard let url = Settings.variable("TANDEM_AMQP_URL") else { throw Settings.Missing(text: "set TANDEM_AMQP_URL to measure a room") }
            var room = RoomLoad(url: url)
            room.participants = numbers["--calls"] ?? room.participants
            room.talkers = numbers["--talkers"] ?? room.talkers
            room.seconds = numbers["--seconds"] ?? room.seconds
            show(try await room.run())
        }
        let settings = try Settings()
        if all || names.contains("setup") {
            var setup = CallSetup(settings: settings)
            setup.rate = numbers["--rate"] ?? setup.rate
            setup.seconds = numbers["--seconds"] ?? setup.seconds
            show(try await setup.run())
        }
        if names.contains("steps") {
            var steps = FlowSteps(settings: settings, api: try SuiteAPI())
            steps.rate = numbers["--rate"] ?? steps.rate
            steps.seconds = numbers["--seconds"] ?? steps.seconds
            steps.calls = numbers["--calls"]
            show(try await steps.run())
        }
        if names.contains("ear") { show(try await MouthToEar(settings: settings).run()) }
        if names.contains("kill") {
            var kill = RelayKill(settings: settings)
            kill.calls = numbers["--calls"] ?? kill.calls
            kill.rate = numbers["--rate"] ?? kill.rate
            show(try await kill.run())
        }
        if names.contains("parked") {
            var parked = ParkedCalls(settings: settings)
            parked.calls = numbers["--calls"] ?? parked.calls
            parked.rate = numbers["--rate"] ?? parked.rate
            show(try await parked.run())
        }
        if names.contains("server"), isMixed {
            var kill = MixedKill(settings: settings)
            kill.calls = numbers["--calls"] ?? kill.calls
            kill.rate = numbers["--rate"] ?? kill.rate
            show(try await kill.run())
        } else if names.contains("server") {
            var kill = CallServerKill(settings: settings)
            kill.calls = numbers["--calls"] ?? kill.calls
            kill.rate = numbers["--rate"] ?? kill.rate
            show(try await kill.run())
        }
        if all || names.contains("calls") {
            var concurrent = ConcurrentCalls(settings: settings)
            concurrent.calls = numbers["--calls"] ?? concurrent.calls
            concurrent.rate = numbers["--rate"] ?? concurrent.rate
            concurrent.seconds = numbers["--seconds"] ?? concurrent.seconds
            show(try await concurrent.run())
        }
    }

    private static func openSessions(_ arguments: ArraySlice<String>) async throws {
        guard let url = Settings.variable("TANDEM_AMQP_URL") else { throw Settings.Missing(text: "set TANDEM_AMQP_URL") }
        var (sessions, rest) = (RelaySessions(url: url), arguments)
        while let argument = rest.popFirst(), let text = rest.popFirst() {
            switch argument {
            case "--calls": sessions.calls = Int(text) ?? sessions.calls
            case "--kind": sessions.kind = RelaySessions.Kind(rawValue: text) ?? sessions.kind
            case "--fingerprint": sessions.fingerprint = text
            default: throw Settings.Missing(text: "unknown argument \(argument)\n\(usage)")
            }
        }
        try await sessions.run()
    }

    private static func peerRoom(_ arguments: ArraySlice<String>) throws -> PeerRoom {
        var (numbers, rest): ([String: Int], ArraySlice<String>) = ([:], arguments)
        while let argument = rest.popFirst() {
            guard ["--pid", "--port", "--seconds", "--talkers"].contains(argument), let number = rest.popFirst().flatMap({ Int($0) }) else {
                throw Settings.Missing(text: "unknown argument \(argument)\n\(usage)")
            }
            numbers[argument] = number
        }
        guard let process = numbers["--pid"].flatMap({ Int32(exactly: $0) }), let port = numbers["--port"].flatMap({ UInt16(exactly: $0) }) else {
            throw Settings.Missing(text: usage)
        }
        var room = PeerRoom(process: process, port: port)
        room.talkers = numbers["--talkers"] ?? room.talkers
        room.seconds = numbers["--seconds"] ?? room.seconds
        return room
    }

    private static func show(_ figures: [Figure]) {
        for figure in figures { print(figure) }
        // Figures take their time: each is shown when it is there, also through a pipe.
        fflush(nil)
    }

    private static func fail(_ text: String, status: Int32) -> Never {
        let line = Array("Benchmarks: \(text)\n".utf8)
        _ = write(2, line, line.count)
        exit(status)
    }
}
