import Addresses
import Deadlines
import Phone
import Threads

/// Many two-party calls at once, with sound both ways: is every packet heard?
struct ConcurrentCalls {
    let settings: Settings
    var calls = 200
    /// New calls in a second while the number rises.
    var rate = 20
    var seconds = 20

    /// The phones share one socket for their sound: five hundred calls' worth of sockets would take the processors from what is measured.
    func run() async throws -> [Figure] {
        let sound = try RoomRelay(participants: 2 * calls, talkers: 2 * calls, hasPorts: true, beats: 20)
        return try await run(soundAt: sound.address) { lines, placed, failures in
            var relays: [SocketAddress] = []
            for line in lines { relays += await line.relays }
            for (number, relay) in relays.prefix(2 * calls).enumerated() { sound.seat(number, room: relay, ssrc: UInt32(number + 1)) }
            sound.start()
            defer { sound.stop() }
            // Until the pairs are linked.
            try await Task.sleep(for: .seconds(3))
            let processes = Self.watched.flatMap { name in Processes.named(name).map { (name, $0, Processes.time(of: $0)) } }
            let begin = MonotonicClock.now()
            await sound.forget()
            try await Task.sleep(for: .seconds(seconds))
            let heard = await sound.heard()
            let passed = MonotonicClock.now() - begin
            let shares = processes.map { name, process, before in
                let used = Double(Processes.time(of: process).nanoseconds - before.nanoseconds)
                return "\(name) \((used * 100 / Double(passed.nanoseconds)).rounded() / 100)"
            }
            return [figure(heard, relays.count, placed.count, failures, shares)]
        }
    }

    /// Whose processor time is told.
    private static let watched = ["relay-worker", "MediaRelay", "room-worker", "ConferenceServer", "CallServer", "Benchmarks"]

    /// Measures while all calls are up: given the lines, the calls, and what went wrong.
    func run(soundAt sound: SocketAddress? = nil, _ measure: ([PhoneLine], [PhoneCall], [String]) async throws -> [Figure]) async throws -> [Figure] {
        // A line of its own on each loop for both sides, so that the phones use both processors, too.
        let loops = [PhoneLoops.next(), PhoneLoops.next()]
        let callees = ["1002", "1003"]
        let lines = (
            callers: try loops.map { PhoneLine(try phone("1001", 440, sound), on: $0) },
            callees: try zip(callees, loops).map { PhoneLine(try phone($0, 620, sound), on: $1) }
        )
        for line in lines.callees { try await line.register() }
        let (placed, failures) = await place(lines.callers, callees)
        let all = lines.callers + lines.callees
        let figures = try await measure(all, placed, failures)
        await hangUp(placed)
        for line in all { await line.close() }
        return figures
    }

    private func phone(_ number: String, _ tone: Int, _ sound: SocketAddress?) throws -> PhoneSettings {
        var phone = try settings.phone(number, tone: tone)
        phone.soundElsewhere = sound
        return phone
    }

    private func place(_ callers: [PhoneLine], _ callees: [String]) async -> ([PhoneCall], [String]) {
        await withTaskGroup(of: Result<PhoneCall, PhoneError>.self) { group in
            let start = ContinuousClock.now
            for number in 0..<calls {
                group.addTask {
                    try? await Task.sleep(until: start + .nanoseconds(number * 1_000_000_000 / rate))
                    do {
                        let call = try await callers[number % callers.count].call(callees[number / callers.count % callees.count])
                        try await call.answered(within: .seconds(30))
                        return .success(call)
                    } catch {
                        return .failure(error as? PhoneError ?? .unreachable("\(error)"))
                    }
                }
            }
            var (placed, failures) = ([PhoneCall](), [String]())
            for await result in group {
                switch result {
                case .success(let call): placed.append(call)
                case .failure(let error): failures.append(error.description)
                }
            }
            return (placed, failures)
        }
    }

    private func hangUp(_ placed: [PhoneCall]) async {
        await withDiscardingTaskGroup { group in
            let start = ContinuousClock.now
            for (number, call) in placed.enumerated() {
                group.addTask {
                    try? await Task.sleep(until: start + .nanoseconds(number * 1_000_000_000 / (2 * rate)))
                    try? await call.hangup()
                }
            }
        }
    }

    private func figure(_ heard: RoomRelay.Heard, _ parties: Int, _ placed: Int, _ failures: [String], _ shares: [String]) -> Figure {
        let gap = heard.gaps.prefix(parties).max() ?? .zero
        // What is under way at the two ends of the time is as much at the one as at the other.
        var value = "\(heard.sent) packets sent, \(heard.packets) heard, \(heard.late) of \(seconds * 1000) beats late, longest gap \(Sample.milliseconds(gap, 0)) ms"
        value += "; processors: " + shares.joined(separator: ", ")
        let silent = heard.silent - (2 * calls - parties)
        if silent > 0 { value += "; \(silent) of \(parties) parties heard nothing" }
        if let first = failures.first { value += "; \(failures.count) calls failed: \(first)" }
        return Figure(subject: "\(placed) concurrent two-party calls, sound both ways for \(seconds) s", value: value, target: "all heard")
    }
}
