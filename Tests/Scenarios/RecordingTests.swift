import Audio
import Contracts
import Deadlines
import Foundation
import Phone
import Suite
import Testing

@Suite("A session is recorded and captured", .timeLimit(.minutes(2)))
struct RecordingTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func record(_ session: String, _ action: TapAction, digits: Bool? = nil) async throws -> TapReport {
        try await suite.command(
            RecordMediaSession(sessionID: session, epoch: 1, recordingID: "r", action: action, digits: digits), of: "MediaRelay")
    }

    /// The channels of a stereo file of 16 bits whose header is right.
    private func channels(_ path: String) throws -> [[Int16]] {
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        try #require(bytes.count > 44 && bytes[22] == 2 && bytes[34] == 16)
        let length = (0..<4).reduce(0) { $0 | Int(bytes[40 + $1]) << (8 * $1) }
        #expect(length == bytes.count - 44)
        return [0, 2].map { side in
            stride(from: 44 + side, to: bytes.count - 3, by: 4).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
        }
    }

    /// Of tenths of a second, the middle one: a busy machine's phone may leave out a packet, and its tone goes on in another phase.
    private func level(_ frequency: Double, _ samples: [Int16]) -> Double {
        let levels = stride(from: 0, to: samples.count - 799, by: 800).map { start in
            Level(amplitude: Goertzel.amplitude(of: frequency, in: samples[start..<(start + 800)].span)).dBFS
        }
        return levels.isEmpty ? -.infinity : levels.sorted()[levels.count / 2]
    }

    @Test("what the phone says is left, what it hears right; begun and ended twice is once, and the length is that of the time")
    func stereo() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            let session = try await suite.session(from: phones[0].number)
            let first = try await record(session, .start)
            let again = try await record(session, .start)
            #expect(first.end == nil && again.path == first.path && again.end == nil)
            try await Task.sleep(for: .seconds(2))
            let end = try await record(session, .stop)
            #expect(try await record(session, .stop) == end)
            #expect(end.end == .stopped && end.path == first.path && end.dropped == 0 && end.milliseconds >= 2000)
            #expect(try await record(session, .start) == end, "a late repetition begins nothing")
            let sides = try channels(end.path)
            #expect(sides[0].count / 8 == end.milliseconds)
            let (left, right) = (Array(sides[0].dropFirst(800).prefix(14_000)), Array(sides[1].dropFirst(800).prefix(14_000)))
            #expect(level(440, left) > -20 && level(620, left) < -50)
            #expect(level(620, right) > -20 && level(440, right) < -50)
            try await caller.hangup()
            try await callee.ended()
        }
    }

    @Test("digits: false: keys pressed are silence of their length; the call's end ends the file")
    func digits() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await callee.hears(440))
            let session = try await suite.session(from: phones[0].number)
            let begun = try await record(session, .start, digits: false)
            try await Task.sleep(for: .milliseconds(400))
            try await caller.send(digits: "5")
            try await Task.sleep(for: .milliseconds(600))
            try await caller.hangup()
            try await callee.ended()
            var end = begun
            // Asked again to begin, it says how it is with the one there is.
            try await suite.eventually("the file is done") {
                end = try await record(session, .start, digits: false)
                return end.end != nil
            }
            #expect(end.end == .sessionEnded && end.path == begun.path)
            let left = try channels(end.path)[0]
            let silent = stride(from: 1600, to: left.count - 2400, by: 160).filter { start in left[start..<(start + 160)].allSatisfy { $0 == 0 } }
            // A key of 100 ms, with 60 ms on both sides.
            #expect((9...20).contains(silent.count), "\(silent)")
        }
    }

    @Test("a capture holds what was on the wire, both ways, RTP and RTCP, with the addresses of both ends")
    func capture() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            let session = try await suite.session(from: phones[0].number)
            func capture(_ action: TapAction) async throws -> TapReport {
                try await suite.command(CaptureMediaSession(sessionID: session, epoch: 1, captureID: "c", action: action), of: "MediaRelay")
            }
            _ = try await capture(.start)
            try await Task.sleep(for: .seconds(1))
            try await caller.hangup()
            try await callee.ended()
            var end = TapReport(path: "")
            // Not told to stop: that might come before the end of the session, and its goodbye.
            try await suite.eventually("the capture is done") {
                end = try await capture(.start)
                return end.end != nil
            }
            let packets = try Self.packets(Array(try Data(contentsOf: URL(filePath: end.path))))
            let sound = packets.filter { $0.payload.count == 172 && $0.payload[0] == 0x80 && $0.payload[1] & 0x7f == 0 }
            let arrived = sound.filter { $0.destination == sound.first?.destination }
            let left = sound.filter { $0.source == sound.first?.destination }
            #expect(arrived.count >= 45 && left.count >= 45 && arrived.count + left.count == sound.count)
            #expect(Set(arrived.map(\.source)) == Set(left.map(\.destination)), "the phone is at one address")
            #expect(packets.contains { $0.payload.count > 1 && (200...203).contains($0.payload[1]) }, "the goodbye is RTCP")
        }
    }

    private struct Packet {
        let source: String
        let destination: String
        let payload: [UInt8]
    }

    /// Reads a pcap file of IPv4 and UDP packets.
    private static func packets(_ bytes: [UInt8]) throws -> [Packet] {
        try #require(bytes.count >= 24 && bytes[0..<4] == [0xd4, 0xc3, 0xb2, 0xa1] && bytes[20] == 101)
        var packets: [Packet] = []
        var place = 24
        while place + 16 <= bytes.count {
            let length = Int(bytes[place + 8]) | Int(bytes[place + 9]) << 8
            let packet = Array(bytes[(place + 16)..<min(place + 16 + length, bytes.count)])
            try #require(packet.count == length && length >= 28 && packet[0] == 0x45 && packet[9] == 17)
            func end(_ address: Int, _ port: Int) -> String {
                packet[address..<(address + 4)].map { String($0) }.joined(separator: ".") + ":\(Int(packet[port]) << 8 | Int(packet[port + 1]))"
            }
            packets.append(Packet(source: end(12, 20), destination: end(16, 22), payload: Array(packet[28...])))
            place += 16 + length
        }
        try #require(place == bytes.count)
        return packets
    }
}
