/// How the OPTIONS of one round are spread over its interval: so many in each second that all bindings are asked once. Pure.
struct QualifyRound: Sendable, Equatable {
    /// Where the last page ended: extension and key of its last binding. Nil at the beginning.
    private(set) var position: Position?
    /// How many to ask each second.
    let share: Int
    /// No round begins before the interval is over, in milliseconds of Unix time.
    let endsAt: Int64
    private(set) var isComplete = false

    struct Position: Sendable, Equatable {
        var extensionID: String
        var key: String
    }

    /// `count` bindings in `interval` seconds, and never more than `limit` a second: a round may then last longer.
    init(count: Int, interval: Int, limit: Int, now: Int64) {
        share = min(max(1, (count + interval - 1) / interval), limit)
        endsAt = now + Int64(interval) * 1_000
    }

    /// The page that was asked for `share` bindings gave these.
    mutating func took(_ page: [Position]) {
        position = page.last ?? position
        isComplete = page.count < share
    }

    func isOver(now: Int64) -> Bool { isComplete && now >= endsAt }
}

/// What the end of an OPTIONS says about the phone (RFC 3261 §11): any answer of its own shows that it is there.
enum QualifyVerdict: Sendable, Equatable {
    case reachable, unreachable
    /// The trouble was on our side of it.
    case unknown

    init(status: Int) {
        self =
            switch status {
            case 408, 430, 504: .unreachable
            case 500, 502, 503: .unknown
            default: .reachable
            }
    }
}
