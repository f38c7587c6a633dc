import Audio

/// One play: pieces of sound one after the other, delivered as they become ready.
struct Play: Sendable {
    enum Piece: Sendable {
        case sound([Int16])
        case silence(samples: Int)

        var count: Int {
            switch self {
            case .sound(let samples): samples.count
            case .silence(let samples): samples
            }
        }
    }

    enum End: Sendable, Equatable {
        case completed, stopped, digit
        case failed(String)
    }

    /// What a tick got out of it.
    enum Step { case sound, nothing, finished }

    let id: String
    let loops: Bool
    let stopsOnDigit: Bool
    /// Whether every piece is here; until then running out of pieces means waiting.
    private(set) var isComplete = false
    private var pieces: [Piece] = []
    private var piece = 0
    private var offset = 0
    /// How much was heard, in samples.
    private(set) var position = 0

    init(id: String, loops: Bool = false, stopsOnDigit: Bool = false) {
        (self.id, self.loops, self.stopsOnDigit) = (id, loops, stopsOnDigit)
    }

    var milliseconds: Int { position * 1000 / Samples.rate }

    /// The sound of a play that is held at once: an hour, 56 MiB.
    static let longestSound = 3600 * Samples.rate
    private(set) var held = 0

    /// False when the play would become too long.
    mutating func append(_ piece: Piece) -> Bool {
        if case .sound(let samples) = piece {
            guard held + samples.count <= Self.longestSound else { return false }
            held += samples.count
        }
        pieces.append(piece)
        return true
    }

    /// What was heard and does not come again is let go.
    private mutating func finishPiece() {
        if !loops, case .sound(let samples) = pieces[piece] {
            held -= samples.count
            pieces[piece] = .silence(samples: 0)
        }
        (piece, offset) = (piece + 1, 0)
    }

    mutating func complete() { isComplete = true }

    /// Overwrites `frame` with the next 20 ms; what is left of it after the end is silence.
    mutating func next(into frame: inout [Int16]) -> Step {
        var written = 0
        var isAudible = false
        while written < frame.count {
            guard piece < pieces.count else {
                guard isComplete else { break }
                guard loops, pieces.contains(where: { $0.count > 0 }) else { break }
                (piece, offset) = (0, 0)
                continue
            }
            let count = min(pieces[piece].count - offset, frame.count - written)
            switch pieces[piece] {
            case .sound(let samples):
                for index in 0..<count { frame[written + index] = samples[offset + index] }
                isAudible = isAudible || count > 0
            case .silence:
                for index in 0..<count { frame[written + index] = 0 }
            }
            written += count
            offset += count
            position += count
            if offset == pieces[piece].count { finishPiece() }
        }
        if written == 0, isComplete { return .finished }
        for index in written..<frame.count { frame[index] = 0 }
        return isAudible ? .sound : .nothing
    }
}

/// What is to be played to one ear, or into one room: one after the other.
struct PlayQueue: Sendable {
    private(set) var plays: [Play] = []

    var isEmpty: Bool { plays.isEmpty }

    /// A play that repeats for ever gives way to a new one; the ended play is returned.
    mutating func add(_ play: Play) -> Play? {
        defer { plays.append(play) }
        guard let last = plays.last, last.loops else { return nil }
        return plays.removeLast()
    }

    /// True when the play is in this queue.
    mutating func change(_ id: String, _ change: (inout Play) -> Void) -> Bool {
        guard let index = plays.firstIndex(where: { $0.id == id }) else { return false }
        change(&plays[index])
        return true
    }

    mutating func remove(_ id: String) -> Play? {
        plays.firstIndex { $0.id == id }.map { plays.remove(at: $0) }
    }

    /// Takes out what a digit ends: the current play when it asked for that.
    mutating func removeForDigit() -> Play? {
        guard let first = plays.first, first.stopsOnDigit else { return nil }
        return plays.removeFirst()
    }

    /// The next frame; a play that ended makes room for the following one within the same tick.
    mutating func next(into frame: inout [Int16], ended: inout [Play]) -> Bool {
        while !plays.isEmpty {
            switch plays[0].next(into: &frame) {
            case .sound: return true
            case .nothing: return false
            case .finished: ended.append(plays.removeFirst())
            }
        }
        return false
    }
}
