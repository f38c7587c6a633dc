import Audio
import RTP
import Testing

@testable import ConferenceServer

/// Crystals differ by up to 200 ppm between two phones: in an hour their clocks part by 720 ms, 36 frames. In virtual time.
@Suite("Senders whose clock is not ours")
struct ClockSkewTests {
    private static let hour = 180_000

    /// The same numbers every time.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    /// A sender of 20 ms packets by a clock of its own, over a network with jitter and loss.
    private struct Sender {
        let period: Double
        let jitter: Double
        let loss: Double
        var random: Dice
        var number = 0
        var lost = 0
        var waiting: [(at: Double, number: Int)] = []

        init(ppm: Double, jitter: Double, loss: Double, seed: UInt64) {
            (period, self.jitter, self.loss) = (20 / (1 + ppm / 1_000_000), jitter, loss)
            random = Dice(state: seed)
        }

        /// What has arrived by `time`, in milliseconds, in the order in which it arrives.
        mutating func arrivals(by time: Double) -> [Int] {
            while Double(number) * period <= time {
                let at = Double(number) * period + Double.random(in: 0...max(jitter, 0.001), using: &random)
                if Double.random(in: 0..<1, using: &random) < loss { lost += 1 } else { waiting.append((at, number)) }
                number += 1
            }
            let due = waiting.filter { $0.at <= time }.sorted { $0.at < $1.at }
            waiting.removeAll { $0.at <= time }
            return due.map(\.number)
        }
    }

    struct Network: CustomTestStringConvertible {
        var ppm: Double
        var jitter = 0.0
        var loss = 0.0
        var testDescription: String { "\(ppm) ppm, jitter \(jitter) ms, loss \(loss * 100) %" }
    }

    @Test("for an hour: the delay stays what jitter asks for, and a frame in five thousand is made up or left out", arguments: [
        Network(ppm: 200), .init(ppm: -200), .init(ppm: 200, jitter: 15, loss: 0.01), .init(ppm: -200, jitter: 15, loss: 0.01),
        .init(ppm: 0, jitter: 45, loss: 0.02),
    ])
    func hour(network: Network) {
        var sender = Sender(ppm: network.ppm, jitter: network.jitter, loss: network.loss, seed: 7)
        var buffer = JitterBuffer()
        var frame = [UInt8](repeating: 0, count: Samples.frame)
        let codes = [UInt8](repeating: 0x90, count: Samples.frame)
        var (silent, longest) = (0, 0)
        for tick in 0..<Self.hour {
            for number in sender.arrivals(by: Double(tick) * 20) {
                buffer.insert(codes.span, at: UInt32(truncatingIfNeeded: number * Samples.frame))
            }
            if !buffer.read(into: &frame, at: 0) { silent += 1 }
            longest = max(longest, buffer.backlog)
        }
        // One frame for a packet, one for the jitter each time it begins anew, one that the skew has not used up.
        let allowed = 3 + Int((network.jitter / 20).rounded(.up))
        #expect(longest <= allowed * Samples.frame, "the delay does not grow: \(longest / Samples.frame) frames")
        #expect(buffer.counters.restarts == 0)
        // What was lost is made up, what the skew takes or gives once in a hundred seconds; the rest is what jitter shows of too short a delay.
        let made = buffer.counters.concealed + silent - sender.lost
        #expect(made <= 40 + (network.jitter > 0 ? Self.hour / 200 : 0), "\(made) frames were made up that were not lost")
    }

    @Test("three whose clocks differ hear each other for ten minutes without a tone breaking off")
    func room() throws {
        var bench = Bench()
        let tones = [440.0, 620, 1010]
        for (index, tone) in tones.enumerated() { try bench.sit("phone\(index)", tone: tone) }
        var senders = [200.0, 0, -200].enumerated().map { Sender(ppm: $1, jitter: 12, loss: 0.005, seed: UInt64($0) + 1) }
        var sources = tones.map { Tone(frequency: $0, level: .dBm0(-16)) }
        for tick in 0..<30_000 {
            for index in senders.indices {
                for number in senders[index].arrivals(by: Double(tick) * 20) {
                    bench.phones[index].sequence = UInt16(truncatingIfNeeded: number)
                    let samples = sources[index].next(Samples.frame)
                    bench.receive(
                        Bench.packet(
                            bench.phones[index], payload: G711.encode(samples, .ulaw), timestamp: UInt32(truncatingIfNeeded: number * Samples.frame)))
                }
            }
            bench.step()
            for index in bench.phones.indices { bench.phones[index].heard.removeAll(keepingCapacity: true) }
            guard tick % 1_000 == 999 else { continue }
            for index in tones.indices {
                let others = tones.filter { $0 != tones[index] }
                #expect(bench.hears("phone\(index)", tones) == others, "phone \(index) at \(tick / 50) s")
            }
        }
    }
}
