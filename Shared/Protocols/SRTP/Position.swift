/// Where the sources of both directions stand, as plain memory: written after every packet, and before it leaves, into memory that
/// outlives the process, it lets a successor go on with the very next index (RELIABILITY V27) without reserving any.
public struct Position: BitwiseCopyable, Sendable {
    /// A source and the newest part of its window.
    struct Source: BitwiseCopyable, Sendable {
        var ssrc: UInt32 = 0
        var isPresent = false
        var hasHighest = false
        var hasControl = false
        var highest: UInt64 = 0
        /// The word of the window that the highest index lies in, and the two before it: as much as a window of 128 needs.
        var newest: UInt64 = 0
        var older: UInt64 = 0
        var oldest: UInt64 = 0
        /// The next index of a sender, the highest of a receiver.
        var control: UInt64 = 0
    }

    /// Those that came last, the newest first. A sender has one, a phone that began anew a second.
    var sending = InlineArray<2, Source>(repeating: Source())
    var receiving = InlineArray<4, Source>(repeating: Source())

    public init() {}
}

extension Position.Source {
    /// Indexes that are older than what was kept count as used.
    var window: ReplayWindow {
        guard hasHighest else { return ReplayWindow() }
        return ReplayWindow(highest: highest, newest: newest, older: older, oldest: oldest)
    }

    mutating func keep(_ window: ReplayWindow) {
        guard let highest = window.highest else { return }
        (hasHighest, self.highest) = (true, highest)
        (newest, older, oldest) = (window.word(behind: 0), window.word(behind: 1), window.word(behind: 2))
    }
}

extension Context {
    /// Where both directions stand.
    public mutating func position() -> Position {
        var position = Position()
        write(&position)
        return position
    }

    /// The same into memory that is there.
    public mutating func write(_ position: inout Position) {
        sendingPosition(&position.sending)
        receivingPosition(&position.receiving)
    }

    /// Goes on where another with these keys was. A direction whose position is nil begins: the sending one behind `begun`, for its key
    /// may have been used before another took its place and gave it back.
    public init(
        sending: MasterKey, receiving: MasterKey, limits: Limits = Limits(), sent: Position?, begun: Reservation = Reservation(),
        received: Position?
    ) {
        if let sent {
            self.init(
                sending: SendingContext(sending, limits: limits, resuming: sent),
                receiving: ReceivingContext(receiving, limits: limits, resuming: received))
        } else {
            self.init(
                sending: SendingContext(sending, limits: limits, after: begun),
                receiving: ReceivingContext(receiving, limits: limits, resuming: received))
        }
    }
}
