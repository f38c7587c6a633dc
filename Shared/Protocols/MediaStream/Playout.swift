internal import Audio
public import Deadlines

/// Sound that came faster than it is heard: kept up to a bound, handed to the room a few frames ahead, with marks in their places.
///
/// Frames are counted: `fed` are those handed over, and whoever owns this tells how many the room has taken.
public struct Playout: Sendable {
    /// So many frames lie with the room.
    public static let ahead = 3
    /// Sound that begins is held so long, or until the room can be given all it keeps ahead: packets come unevenly.
    private static let gathering = Interval.milliseconds(60)
    public static let mostMarks = 1000

    private let limit: Int
    private var codes: [UInt8] = []
    private var start = 0
    /// Where each mark stands, in frames.
    private var marks: [(name: String, frame: Int)] = []
    private var fed = 0
    private var gatheringUntil: Instant?
    /// Codes, and marks, that there was no room for.
    public private(set) var dropped = 0

    /// `limit`: ms of sound that are kept.
    public init(limit milliseconds: Int) { limit = max(1, milliseconds) * Samples.rate / 1000 }

    /// What waits here, in ms.
    public var backlog: Int { count * 1000 / Samples.rate }
    private var count: Int { codes.count - start }

    /// Beyond the bound the newest is dropped: what is being said is heard to where the bound cuts it.
    public mutating func append(_ sound: [UInt8], taken: Int, now: Instant) {
        guard !sound.isEmpty else { return }
        if count == 0, fed - taken <= 0 { gatheringUntil = now + Self.gathering }
        let fits = min(sound.count, limit - count)
        dropped += sound.count - fits
        if start > 65_536 {
            codes.removeFirst(start)
            start = 0
        }
        codes.append(contentsOf: sound.prefix(fits))
    }

    public mutating func mark(_ name: String) {
        guard marks.count < Self.mostMarks else {
            dropped += 1
            return
        }
        marks.append((name, fed + (count + Samples.frame - 1) / Samples.frame))
    }

    /// Forgets what the room has not been handed; the marks in it come now. What the room has been handed is the owner's to take back.
    public mutating func clear() -> [String] {
        let names = marks.map(\.name)
        (marks, codes, start, gatheringUntil) = ([], [], 0, nil)
        return names
    }

    /// The next frame for the room, of which `taken` have been heard, or taken back; nil when it has enough or there is none.
    public mutating func next(taken: Int, now: Instant) -> [UInt8]? {
        let ahead = fed - taken
        guard count > 0, ahead < Self.ahead else { return nil }
        if let end = gatheringUntil {
            guard now >= end || count >= Self.ahead * Samples.frame else { return nil }
            gatheringUntil = nil
        }
        // The rest of something is filled up when nothing else is left to be heard.
        guard count >= Samples.frame || ahead <= 0 else { return nil }
        var frame = Array(codes[start..<min(start + Samples.frame, codes.count)])
        start += frame.count
        if start == codes.count { (codes, start) = ([], 0) }
        while frame.count < Samples.frame { frame.append(G711.Law.ulaw.silence) }
        fed += 1
        return frame
    }

    /// The marks up to which everything has been heard.
    public mutating func reached(taken: Int) -> [String] {
        let count = marks.prefix { $0.frame <= taken }.count
        guard count > 0 else { return [] }
        defer { marks.removeFirst(count) }
        return marks.prefix(count).map(\.name)
    }
}
