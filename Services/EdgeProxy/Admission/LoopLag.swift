import Deadlines

/// How late a loop comes to its own timers, and what it stops doing for it, the least important first (RELIABILITY §4.8).
struct LoopLag: Sendable {
    private let limits: ServerLoad.Limits
    private var lateSince: Instant?
    /// Zero: all is served; one: nothing but dialogs and emergencies.
    private(set) var pressure = 0.0

    static let period = Interval.milliseconds(50)
    private static let step = 0.05

    init(_ limits: ServerLoad.Limits) { self.limits = limits }

    /// To be called once a period, with how much later than planned that was.
    mutating func measured(_ lag: Interval, now: Instant) {
        guard limits.target.nanoseconds > 0 else { return }
        guard lag > limits.target else {
            lateSince = nil
            pressure = pressure < Self.step ? 0 : pressure * 0.7
            return
        }
        let since = lateSince ?? now
        lateSince = since
        if now - since >= limits.patience { pressure = min(1, pressure + Self.step * min(4, lag.seconds / limits.target.seconds)) }
    }

    /// `key` is a keyed hash of what the request shares with its retransmissions.
    func admits(_ kind: RequestClass, key: UInt64) -> Bool {
        guard pressure > 0 else { return true }
        let place: Double
        switch kind {
        case .inDialog, .ending, .emergency: return true
        case .other: place = 0
        case .registration: place = 1
        case .refresh: place = 2
        case .invite: place = 3
        }
        let share = min(1, max(0, pressure * 4 - place))
        return Double(key >> 11) / Double(UInt64(1) << 53) >= share
    }
}
