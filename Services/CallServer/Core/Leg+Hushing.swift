import Contracts

/// Mute and hold, which are the leg's and not its seat's: it takes them along into every room.
extension Leg {
    /// Nobody hears it.
    var isHushed: Bool { isMuted == true || isHeld == true }

    private var holdPlayID: String { "hold/\(record.id)" }

    mutating func mute(_ isMuted: Bool, into effects: inout [LegEffect]) {
        self.isMuted = isMuted
        hush(into: &effects)
    }

    mutating func hold(_ isHeld: Bool, into effects: inout [LegEffect]) {
        self.isHeld = isHeld
        hush(into: &effects)
        if isHeld { playHoldMusic(into: &effects) } else if isSeated { effects.append(.stopPlay(playID: holdPlayID)) }
    }

    /// For one who hears nothing else; the room that it comes to does not know of it yet.
    mutating func playHoldMusic(into effects: inout [LegEffect]) {
        guard isSeated else { return }
        effects.append(.play(playID: holdPlayID, [.music], loop: true, stopOnDigit: false))
    }

    /// What was wanted while the seat was being taken. A conference has a will of its own about who is heard again.
    mutating func hushInSeat(into effects: inout [LegEffect]) {
        if isHushed || seat.conferenceID == nil && (isMuted != nil || isHeld != nil) { hush(into: &effects) }
        if isHeld == true { playHoldMusic(into: &effects) }
    }

    private func hush(into effects: inout [LegEffect]) {
        guard isSeated else { return }
        effects.append(.hush(muted: isHushed, deaf: isHeld == true))
    }
}
