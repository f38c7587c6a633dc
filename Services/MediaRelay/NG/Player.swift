import Audio
import RTP

/// Sound or keys that a phone is sent from here in place of what its peer says, a packet every 20 ms.
struct Player {
    private enum Piece {
        /// µ-law.
        case sound([UInt8], times: Int)
        case event(EventSender)
        /// Packets without anything.
        case pause(Int)
    }

    private var pieces: [Piece]
    /// Octets of the first piece that have been sent.
    private(set) var position = 0
    private var sequence = SequenceNumber(.random(in: .min ... .max))
    private var timestamp = Timestamp(.random(in: .min ... .max))

    /// More keys than anybody presses in advance.
    private static let pieceLimit = 128

    init(sound: [UInt8], times: Int, from start: Int) {
        pieces = [.sound(sound, times: max(1, times))]
        position = max(0, min(start, sound.count)) / Samples.frame * Samples.frame
    }

    /// Keys begin with the first that is added.
    init() { pieces = [] }

    /// False when too many wait already.
    mutating func press(_ code: UInt8, milliseconds: Int, pause: Int, volume: UInt8, asTone: Bool) -> Bool {
        guard pieces.count < Self.pieceLimit else { return false }
        let digit = TelephoneEvent(code: code, isEnd: false, duration: 0).digit
        if asTone, let digit, let tone = DTMF.samples(of: digit, milliseconds: milliseconds, level: .dBm0(-Double(volume))) {
            pieces.append(.sound(G711.encode(tone.values, .ulaw), times: 1))
        } else {
            // The timestamp is that of its beginning, which is not known yet.
            pieces.append(.event(EventSender(code: code, timestamp: Timestamp(0), duration: milliseconds * 8, volume: volume)))
        }
        pieces.append(.pause(max(1, pause / 20)))
        return true
    }

    enum Packet {
        case bytes([UInt8])
        /// Nothing for these 20 ms.
        case none
        case over
    }

    private var eventBegan: Timestamp?

    mutating func next() -> Packet {
        guard let piece = pieces.first else { return .over }
        defer { timestamp = timestamp.advanced(by: Samples.frame) }
        switch piece {
        case .sound(let sound, let times):
            guard position < sound.count else {
                position = 0
                pieces[0] = .sound(sound, times: times - 1)
                if times <= 1 || sound.isEmpty { pieces.removeFirst() }
                return pieces.isEmpty ? .over : next()
            }
            var frame = Array(sound[position..<min(position + Samples.frame, sound.count)])
            frame += Array(repeating: G711.Law.ulaw.silence, count: Samples.frame - frame.count)
            let isFirst = position == 0
            position += Samples.frame
            return .bytes(packet(.pcmu, timestamp, marker: isFirst) + frame)
        case .event(var sender):
            let began = eventBegan ?? timestamp
            guard let packet = sender.next() else {
                eventBegan = nil
                pieces.removeFirst()
                return next()
            }
            eventBegan = began
            pieces[0] = .event(sender)
            var bytes = self.packet(PayloadType(101), began, marker: packet.marker)
            packet.event.append(to: &bytes)
            return .bytes(bytes)
        case .pause(let packets):
            if packets > 1 { pieces[0] = .pause(packets - 1) } else { pieces.removeFirst() }
            return .none
        }
    }

    private mutating func packet(_ payloadType: PayloadType, _ timestamp: Timestamp, marker: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: SSRC(0), marker: marker).append(to: &bytes)
        sequence = sequence.next
        return bytes
    }
}
