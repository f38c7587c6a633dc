import Audio
import Contracts

/// One play: pieces of sound one after the other, delivered as they become ready, and the place in them that is heard.
///
/// Places are samples from the beginning of its sound. One may be asked for before it is there; then it is waited for.
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
        case completed, stopped, digit, speech
        case failed(String)
    }

    /// What a tick got out of it.
    enum Step { case sound, nothing, finished }

    private enum Motion { case running, fading, paused }

    let id: String
    /// What was asked for: with `startAt` it is what a successor of the room is asked for.
    let request: PlayInRoom
    /// Whether every piece is here; until then running out of pieces means waiting.
    private(set) var isComplete = false
    private(set) var hasBegun = false
    private var pieces: [Piece] = []
    private var piece = 0
    /// In the piece; beyond its end when the place has been moved.
    private var offset = 0
    /// The length of the pieces before this one.
    private var earlier = 0
    /// Pieces before this one have made room for later ones.
    private var floor = 0
    /// Nil: for ever.
    private var passesLeft: Int?
    private var motion: Motion
    private var gain: Gain
    /// Tells it from all others of its mixer.
    var number: UInt64 = 0

    init(_ request: PlayInRoom) {
        self.request = request
        id = request.playID
        let isEndless = request.loop || request.sources.last == .ringback
        passesLeft = request.repeats.map { max(0, $0 - 1) } ?? (isEndless ? nil : 0)
        motion = request.paused == true ? .paused : .running
        gain = Gain(decibels: request.volume ?? 0)
        seek(milliseconds: request.startAt ?? 0)
    }

    /// Goes on with one of another process, whose sound is to be rendered anew; at `mark` when that is of this play.
    init(_ record: PlayRecord, at mark: PlayMark) {
        self.init(record.request)
        number = record.number
        let isHeard = mark.number == number && number != 0
        let place = isHeard ? Int(clamping: mark.place) : record.place
        (piece, earlier, offset) = (0, 0, min(max(0, place), Self.farthest))
        passesLeft = isHeard ? (mark.passesLeft < 0 ? nil : Int(clamping: mark.passesLeft)) : record.passesLeft
        motion = record.isPaused ? .paused : .running
        hasBegun = record.hasBegun || isHeard && mark.place > 0
        gain = Gain(decibels: record.volume)
        if hasBegun { gain.fadeIn() }
    }

    var record: PlayRecord {
        PlayRecord(
            request: request, number: number, place: earlier + offset, passesLeft: passesLeft, isPaused: isPaused, hasBegun: hasBegun,
            volume: gain.decibels)
    }

    var mark: PlayMark {
        PlayMark(number: number, place: Int64(earlier + offset), passesLeft: passesLeft.map { Int64($0) } ?? -1)
    }

    var isEndless: Bool { passesLeft == nil }
    var isPaused: Bool { motion != .running }
    var stopsOnDigit: Bool { request.stopOnDigit }
    var stopsOnSpeech: Bool { request.stopOnSpeech == true }

    /// The place in its sound, in ms.
    var milliseconds: Int { (earlier + offset) * 1000 / Samples.rate }

    var state: PlayState {
        PlayState(
            playID: id, position: milliseconds, paused: isPaused, volume: gain.decibels, repeatsLeft: passesLeft)
    }

    /// What goes on where this one is.
    var resumption: PlayInRoom {
        var request = request
        request.repeats = passesLeft.map { $0 + 1 }
        request.loop = isEndless
        (request.startAt, request.paused, request.volume) = (milliseconds, isPaused, gain.decibels)
        // The request was performed; this is another.
        request.operationID = nil
        return request
    }

    // MARK: Its sound

    /// The sound of a play that is held at once: an hour, 56 MiB.
    static let longestSound = 3600 * Samples.rate
    /// The farthest place that can be asked for: a day.
    static let farthest = 86_400 * Samples.rate
    private(set) var held = 0

    /// False when the play would become too long. What was heard, and does not come again, makes room.
    mutating func append(_ piece: Piece) -> Bool {
        if case .sound(let samples) = piece {
            if held + samples.count > Self.longestSound, passesLeft == 0 { letGo() }
            guard held + samples.count <= Self.longestSound else { return false }
            held += samples.count
        }
        pieces.append(piece)
        return true
    }

    private mutating func letGo() {
        for index in pieces.indices.prefix(piece) {
            guard case .sound(let samples) = pieces[index] else { continue }
            held -= samples.count
            pieces[index] = .silence(samples: samples.count)
        }
        floor = earlier
    }

    mutating func complete() { isComplete = true }

    // MARK: Control

    /// What is heard fades away within a frame.
    mutating func pause() {
        if motion == .running { motion = hasBegun ? .fading : .paused }
    }

    mutating func resume() {
        guard motion != .running else { return }
        motion = .running
        gain.fadeIn()
    }

    mutating func seek(milliseconds: Int) {
        let wanted = min(max(0, milliseconds), Self.farthest / Samples.rate * 1000) * Samples.rate / 1000
        (piece, earlier, offset) = (0, 0, max(floor, wanted))
        if hasBegun { gain.fadeIn() }
    }

    mutating func skip(milliseconds change: Int) {
        let (place, overflow) = milliseconds.addingReportingOverflow(change)
        seek(milliseconds: overflow ? 0 : place)
    }

    mutating func change(volume decibels: Double) { gain.change(to: decibels) }

    /// It was interrupted: what comes next comes without a click.
    mutating func fadeIn() { if hasBegun { gain.fadeIn() } }

    // MARK: The tick

    /// Overwrites `frame` with the next 20 ms; what is left of it after the end is silence.
    mutating func next(into frame: inout [Int16]) -> Step {
        guard motion != .paused else { return .nothing }
        var written = 0
        var isAudible = false
        while written < frame.count, settle() {
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
        }
        if written == 0, isComplete {
            // A place beyond the end is the end.
            offset = 0
            return .finished
        }
        for index in written..<frame.count { frame[index] = 0 }
        hasBegun = hasBegun || written > 0
        if motion == .fading {
            gain.fadeOut(&frame)
            motion = .paused
        } else if isAudible {
            gain.apply(to: &frame)
        }
        return isAudible ? .sound : .nothing
    }

    /// Moves on to the piece that the place lies in; false when that is not here yet, or there is nothing more.
    private mutating func settle() -> Bool {
        while true {
            while piece < pieces.count {
                let length = pieces[piece].count
                guard offset >= length else { return true }
                offset -= length
                earlier += length
                piece += 1
            }
            guard isComplete, earlier > 0, passesLeft != 0 else { return false }
            // A place beyond the end lies in a later pass.
            let passed = offset / earlier
            if let left = passesLeft {
                passesLeft = max(0, left - 1 - passed)
                guard left > passed else { return false }
            }
            (piece, offset, earlier) = (0, offset % earlier, 0)
        }
    }
}
