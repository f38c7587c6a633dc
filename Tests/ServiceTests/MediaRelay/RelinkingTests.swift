import RTP
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: the inside of a session is pointed elsewhere while its phone speaks")
struct RelinkingTests {
    private static let formats = ["0 PCMU/8000", "101 telephone-event/8000"]
    /// That the phone sends: three seconds.
    private static let count = 150

    private struct Arrival {
        /// What the phone called it.
        let number: Int
        let header: Header
    }

    /// Its number lies in its sound.
    private static func packet(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(
            payloadType: .pcmu, sequence: SequenceNumber(UInt16(truncatingIfNeeded: 65_450 + number)), timestamp: Timestamp(UInt32(number) * 160),
            ssrc: SSRC(5)
        ).append(to: &bytes)
        return bytes + [UInt8(number / 256), UInt8(number % 256)] + [UInt8](repeating: 0x5a, count: 158)
    }

    private static func take(_ ear: Ear, into arrivals: inout [Arrival]) throws {
        while let bytes = ear.next() {
            try #require(bytes.count == Header.length + 160)
            let number = Int(bytes[Header.length]) * 256 + Int(bytes[Header.length + 1])
            arrivals.append(Arrival(number: number, header: try Header(parsing: bytes.span)))
        }
    }

    /// The phone speaks at its pace, and in the midst of every seventh packet `turn` points its inside at the other of two; what each of these heard.
    private func speak(
        _ phone: Ear, to port: UInt16, heardBy first: Ear, _ second: Ear, turn: (_ isAtSecond: Bool) async throws -> Void
    ) async throws -> (first: [Arrival], second: [Arrival]) {
        var atFirst: [Arrival] = []
        var atSecond: [Arrival] = []
        var isAtSecond = false
        for number in 0..<Self.count {
            phone.send(Self.packet(number), to: port)
            if number % 7 == 3 {
                isAtSecond.toggle()
                try await turn(isAtSecond)
            }
            try await Task.sleep(for: .milliseconds(20))
            try Self.take(first, into: &atFirst)
            try Self.take(second, into: &atSecond)
        }
        for _ in 0..<6_000 where atFirst.count + atSecond.count < Self.count {
            try await Task.sleep(for: .milliseconds(20))
            try Self.take(first, into: &atFirst)
            try Self.take(second, into: &atSecond)
        }
        // What came twice would be here by now.
        try await Task.sleep(for: .milliseconds(100))
        try Self.take(first, into: &atFirst)
        try Self.take(second, into: &atSecond)
        return (atFirst, atSecond)
    }

    /// One number after the other, as its hearer sees the stream.
    private static func isContinuous(_ arrivals: [Arrival]) -> Bool {
        zip(arrivals, arrivals.dropFirst()).allSatisfy { pair in
            pair.0.number < pair.1.number && pair.1.header.sequence == pair.0.header.sequence.next && pair.1.header.ssrc == pair.0.header.ssrc
        }
    }

    private static func numbers(_ arrivals: [Arrival]) -> [Int] { arrivals.map(\.number).sorted() }

    @Test("From one room to another and back: each packet of the phone is heard by one of them, none by both, none by nobody; its numbers go on")
    func rooms() async throws {
        let relay = try SoundRelay(.patient(27740...27759))
        let (phone, first, second) = (try Ear(), try Ear(), try Ear())
        let port = try await relay.open("s", for: phone, Self.formats).answer.media[0].port
        try await relay.link("s", to: first, ssrc: 71)
        let heard = try await speak(phone, to: port, heardBy: first, second) { isAtSecond in
            try await relay.link("s", to: isAtSecond ? second : first, ssrc: isAtSecond ? 72 : 71)
        }
        #expect(Self.numbers(heard.first + heard.second) == Array(0..<Self.count))
        #expect(heard.first.count > 10 && heard.second.count > 10)
        #expect(heard.first.allSatisfy { $0.header.ssrc.value == 71 } && heard.second.allSatisfy { $0.header.ssrc.value == 72 })
        // The numbers are the phone's, wherever they are heard: the way from room to room is no gap.
        let start = try #require(heard.first.first)
        let isInPlace = (heard.first + heard.second).allSatisfy { arrival in
            arrival.header.sequence.distance(from: start.header.sequence) == arrival.number - start.number
        }
        #expect(isInPlace)
    }

    @Test("From a room straight to another session and back: each packet of the phone is heard by the room or the other phone, none by both, none by nobody")
    func sessions() async throws {
        let relay = try SoundRelay(.patient(27760...27779))
        let (phone, room, other) = (try Ear(), try Ear(), try Ear())
        let port = try await relay.open("a", for: phone, Self.formats).answer.media[0].port
        _ = try await relay.open("b", for: other, Self.formats)
        try await relay.link("a", to: room, ssrc: 71)
        let heard = try await speak(phone, to: port, heardBy: room, other) { isAtOther in
            if isAtOther { try await relay.link("a", with: "b") } else { try await relay.link("a", to: room, ssrc: 71) }
        }
        #expect(Self.numbers(heard.first + heard.second) == Array(0..<Self.count))
        #expect(heard.first.count > 10 && heard.second.count > 10)
        #expect(Self.isContinuous(heard.first) && Self.isContinuous(heard.second))
    }
}
