import RTP
import Testing

@Suite("RTP: telephone events (RFC 4733)")
struct RTPEventTests {
    private func packets(_ digit: Character, at timestamp: UInt32) -> [(TelephoneEvent, Timestamp)] {
        var sender = EventSender(code: TelephoneEvent.code(of: digit) ?? 0, timestamp: Timestamp(timestamp), duration: 800)
        var packets: [(TelephoneEvent, Timestamp)] = []
        while let packet = sender.next() { packets.append((packet.event, sender.timestamp)) }
        return packets
    }

    private func digits(_ packets: [(TelephoneEvent, Timestamp)]) -> String {
        var receiver = EventReceiver()
        return String(packets.compactMap { receiver.receive($0.0, timestamp: $0.1)?.digit })
    }

    @Test("§2.3: the payload, and every digit's code")
    func payload() throws {
        let event = TelephoneEvent(code: 11, isEnd: true, volume: 10, duration: 0x1234)
        var bytes: [UInt8] = []
        event.append(to: &bytes)
        #expect(bytes == [11, 0x8a, 0x12, 0x34])
        #expect(try TelephoneEvent(parsing: bytes.span) == event)
        for end in 0..<4 { #expect(throws: ParseError.truncated) { try TelephoneEvent(parsing: bytes.span.extracting(0..<end)) } }
        for (code, digit) in "0123456789*#ABCD".enumerated() {
            #expect(TelephoneEvent.code(of: digit) == UInt8(code))
            #expect(TelephoneEvent(code: UInt8(code), isEnd: false, duration: 0).digit == digit)
        }
        #expect(TelephoneEvent.code(of: "d") == 15 && TelephoneEvent.code(of: "ß") == nil)
        #expect(TelephoneEvent(code: 16, isEnd: false, duration: 0).digit == nil)
    }

    @Test("§2.5.1.1, §2.5.1.4: the marker first, growing durations, the end three times")
    func sender() {
        let sent = packets("5", at: 1000)
        #expect(sent.map(\.0.duration) == [160, 320, 480, 640, 800, 800, 800])
        #expect(sent.map(\.0.isEnd) == [false, false, false, false, true, true, true])
        var sender = EventSender(code: 5, timestamp: Timestamp(0))
        let markers = [sender.next(), sender.next()].map { $0?.marker }
        #expect(markers == [true, false])
        var short = EventSender(code: 5, timestamp: Timestamp(0), duration: 0)
        let only = short.next()
        #expect(only?.event.isEnd == true)
    }

    @Test("Each digit is reported once, whichever packets are lost")
    func losses() {
        let sent = packets("1", at: 0) + packets("1", at: 1600) + packets("#", at: 3200)
        #expect(digits(sent) == "11#")
        // Every pattern of two losses, and the loss of all ends.
        for first in sent.indices {
            for second in sent.indices {
                #expect(digits(sent.enumerated().filter { $0.offset != first && $0.offset != second }.map(\.element)) == "11#")
            }
        }
        #expect(digits(sent.filter { !$0.0.isEnd }) == "11#")
        #expect(digits(sent.filter { $0.0.isEnd }) == "11#")
    }

    @Test("Each digit is reported once, whichever packets come twice or late")
    func duplicates() {
        let first = packets("7", at: 0), second = packets("8", at: 1600)
        #expect(digits((first + second).flatMap { [$0, $0] }) == "78")
        #expect(digits(first.dropLast(2) + second.prefix(2) + first.suffix(2) + second.dropFirst(2)) == "78")
        #expect(digits(first.reversed() + second.reversed()) == "78")
    }

    @Test("§2.5.1.3: a key held beyond the duration field is one digit; a restarted clock is a new one")
    func segments() {
        func event(_ duration: UInt16) -> TelephoneEvent { TelephoneEvent(code: 3, isEnd: false, duration: duration) }
        #expect(digits([(event(160), Timestamp(0)), (event(0xffff), Timestamp(0)), (event(160), Timestamp(0xffff))]) == "3")
        #expect(digits([(event(160), Timestamp(500_000)), (event(160), Timestamp(0))]) == "33")
    }
}
