import Deadlines
import Phone

/// How long sound takes from one phone to another beyond the 20 ms of its packets: one changes its tone, the other waits for it. A tone
/// changes somewhere between two packets; the shortest of many waits is the way alone, the mean has half a packet more.
struct MouthToEar {
    private static let tones = [440, 1_010]

    let settings: Settings
    var changes = 60

    func run() async throws -> [Figure] {
        var figures: [Figure] = []
        for (number, subject) in [("800", "through relay, room, relay"), ("1002", "two who are linked by their relays")] {
            figures.append(try await figure(number, subject))
        }
        return figures
    }

    private func figure(_ number: String, _ subject: String) async throws -> Figure {
        let mouth = PhoneLine(try settings.phone("1001", tone: Self.tones[0]))
        let ear = PhoneLine(try settings.phone("1002", tone: 620))
        try await ear.register()
        let speaking = try await mouth.call(number)
        try await speaking.answered()
        let listening: PhoneCall
        if number == "1002" {
            listening = try await ear.incomingCall()
        } else {
            listening = try await ear.call(number)
            try await listening.answered()
        }
        guard await listening.hears(Double(Self.tones[0]), within: .seconds(5)) else { throw PhoneError.timedOut("sound") }
        // Two are linked after half a second; and the room's buffer has found its length.
        try await Task.sleep(for: .seconds(4))
        var waits: [Interval] = []
        for change in 1...changes {
            let tone = Self.tones[change % 2]
            // Of any length but that of packets.
            try await Task.sleep(for: .milliseconds(311 + change % 20))
            let began = ContinuousClock.now
            try await speaking.setTone(tone)
            while await listening.level(of: Double(tone)) < -42 {
                guard ContinuousClock.now - began < .seconds(2) else { throw PhoneError.timedOut("the other tone") }
                try await Task.sleep(for: .microseconds(500))
            }
            waits.append(.microseconds(Int((ContinuousClock.now - began) / .microseconds(1))))
        }
        try await speaking.hangup()
        try? await listening.hangup()
        await mouth.close()
        await ear.close()
        waits.sort()
        let shortest = waits.first?.milliseconds ?? 0
        let median = waits[waits.count / 2].milliseconds
        return Figure(
            subject: "mouth to ear, \(subject)", value: "shortest \(shortest.rounded()) ms, median \(median.rounded()) ms, of \(changes)",
            target: "<= 45 ms and half a packet")
    }
}
