import Contracts
import MediaSession
import RTP

// Keys that came otherwise than as events, and keys that the room is not to hear.
extension MediaLoop {
    /// Of a leg whose inside is another leg's: what is on its way there.
    static func noteKeys(of leg: Leg, in packets: borrowing PacketBuffer) {
        for number in 0..<packets.count { noteKey(of: leg, packets[number]) }
    }

    private static func noteKey(of leg: Leg, _ packet: Span<UInt8>) {
        guard let header = try? Header(parsing: packet), header.payloadType == insideEvents,
            let event = try? TelephoneEvent(parsing: packet.extracting(header.payloadRange)),
            let pressed = leg.keys?.receive(event, timestamp: header.timestamp)
        else { return }
        leg.pressedKeys.append(pressed)
    }

    /// The same of one that goes to its peer as it came, on the clock of its sound.
    static func noteKey(of leg: Leg, _ header: Header, _ packet: Span<UInt8>) {
        guard let event = try? TelephoneEvent(parsing: packet.extracting(header.payloadRange)),
            let pressed = leg.keys?.receive(event, timestamp: header.timestamp)
        else { return }
        let rate = max(1, leg.session.eventClockRate)
        leg.pressedKeys.append(
            TelephoneEvent(code: pressed.code, isEnd: pressed.isEnd, duration: UInt16(clamping: Int(pressed.duration) * 8_000 / rate)))
    }

    private static let insideEvents = PayloadType(101)

    func tellKeys(of leg: Leg) {
        guard !leg.pressedKeys.isEmpty else { return }
        for event in leg.pressedKeys {
            guard let digit = event.digit else { continue }
            events.digit(DigitPressed(callID: leg.callID, digit: String(digit), duration: Int(event.duration) / 8), leg.owner)
        }
        leg.pressedKeys = []
    }

    /// The owner hears of keys that the room does not.
    func tellDigits(_ leg: Leg) {
        guard leg.session.hasToldDigits else { return }
        for code in leg.session.takeToldDigits() {
            guard let digit = TelephoneEvent(code: code, isEnd: false, duration: 0).digit else { continue }
            events.digit(DigitPressed(callID: leg.callID, digit: String(digit), duration: 0, bypassesRoom: true), leg.owner)
        }
    }
}
