import Audio
import Contracts
import RTP

// Listening to seats. Only a seat with an ear costs anything.
extension Mixer {
    /// Begins a watch, or begins it anew.
    mutating func listen(_ command: ListenInRoom, _ tap: TranscriptionTap? = nil) throws(RPCError) {
        let slot = try seated(command.participantID, in: command.roomID)
        guard command.epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
        let ear = seats[slot].ear ?? SeatEar()
        guard ear.add(command.watch, tap) else {
            throw RPCError(.exhausted, "a participant has at most \(SeatEar.mostWatches) watches")
        }
        seats[slot].ear = ear
        touch(slot)
    }

    mutating func stopListening(_ command: StopListening) {
        guard let slot = slot(of: command.participantID, in: command.roomID), let ear = seats[slot].ear else { return }
        ear.remove(command.watchID)
        if ear.isIdle { seats[slot].ear = nil }
        touch(slot)
    }

    /// What the phone said in this tick, muted or not: who is listened for is not heard by others through it.
    mutating func hear<Out: Outgoing & ~Copyable>(_ ear: SeatEar, slot: Int, hasFrame: Bool, into outgoing: inout Out) {
        let offset = slot * Samples.frame
        if hasFrame { Sound.decode(codes, at: offset, into: &linear) }
        if ear.tapsIn {
            // Of who is muted nothing is written down.
            if hasFrame, !seats[slot].isMuted {
                ear.put(codes.span.extracting(offset..<(offset + Samples.frame)), .in)
            } else {
                ear.put(Self.silence.span, .in)
            }
        }
        let settings = seats[slot].settings
        ear.hear(linear.span.extracting(offset..<(offset + Samples.frame)), hasCome: hasFrame) { watchID, finding in
            outgoing.report(.heard(callID: settings.callID, owner: settings.owner, watchID: watchID, finding))
        }
    }

    private static let silence = [UInt8](repeating: G711.Law.ulaw.silence, count: Samples.frame)

    /// What the phone hears in this tick; a key is heard as silence.
    func overhear(_ ear: SeatEar, _ packet: [UInt8]?) {
        if let packet {
            ear.put(packet.span.extracting(Header.length..<packet.count), .out)
        } else {
            ear.put(Self.silence.span, .out)
        }
    }
}
