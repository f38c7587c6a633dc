/// When a pause of the room is described to the phone instead of sent (RFC 3389 §4): after a fifth of a second of digital silence, and
/// again every half second, so that no phone thinks the call is dead.
struct PauseSender {
    enum Step { case send, describe, leaveOut }

    private static let hangover = 10
    private static let refreshment = 25
    /// -70 dBov: a line nobody speaks on.
    static let level: UInt8 = 70
    private var silent = 0

    /// `codes` in µ-law, 20 ms of them.
    mutating func next(_ codes: Span<UInt8>) -> Step {
        for index in codes.indices where codes[index] | 0x80 != 0xff {
            silent = 0
            return .send
        }
        silent += 1
        guard silent > Self.hangover else { return .send }
        return (silent - Self.hangover - 1) % Self.refreshment == 0 ? .describe : .leaveOut
    }

    mutating func interrupt() { silent = 0 }
}
