import Audio

/// What is said to one ear, or to all inside: one sentence after the other, over whatever else is heard.
///
/// A sentence keeps its place while it is made elsewhere; when that takes too long its tone is heard instead.
struct SpokenLine: Sendable {
    /// In ticks: two seconds.
    static let patience: UInt64 = 100
    /// The longest that is heard of one: half a minute.
    static let longest = 30 * Samples.rate

    private enum Sound { case awaited, ready([Int16]), missing }

    private struct Item: Sendable {
        let number: UInt64
        let saying: Saying
        let askedAt: UInt64
        var sound = Sound.awaited
    }

    private var items: [Item] = []
    private var position = 0

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }

    mutating func ask(_ saying: Saying, number: UInt64, at tick: UInt64) {
        items.append(Item(number: number, saying: saying, askedAt: tick))
    }

    /// What was made for it; nil: nothing could be. False when nobody waits for it any more.
    mutating func take(_ number: UInt64, _ samples: [Int16]?) -> Bool {
        guard let index = items.firstIndex(where: { $0.number == number }), case .awaited = items[index].sound else { return false }
        items[index].sound = samples.map { .ready($0) } ?? .missing
        return true
    }

    /// Nothing more is said, and no tone is heard in its place.
    mutating func clear() { self = SpokenLine() }

    /// Adds the next 20 ms to `frame`, or overwrites what is no sound. True when something is said; the tone that is to follow.
    mutating func next(into frame: inout [Int16], over hasSound: Bool, at tick: UInt64) -> (isSound: Bool, chime: Chime?) {
        guard let item = items.first else { return (false, nil) }
        switch item.sound {
        case .awaited:
            guard tick &- item.askedAt > Self.patience else { return (false, nil) }
            items.removeFirst()
            return (false, item.saying.chime.instead)
        case .missing:
            items.removeFirst()
            return (false, item.saying.chime.instead)
        case .ready(let samples):
            let end = min(samples.count, Self.longest)
            let count = min(frame.count, max(0, end - position))
            Mixer.add(samples.span.extracting(position..<(position + count)), to: &frame, over: hasSound)
            position += count
            guard position >= end else { return (true, nil) }
            items.removeFirst()
            position = 0
            return (true, item.saying.chime.after)
        }
    }
}

/// Music for those who wait: all of a room hear the same of it.
struct HoldLine: Sendable {
    private enum State { case unasked, asked(UInt64), ready([Int16]), missing(at: UInt64) }

    /// In ticks: what could not be had is asked for again after half a minute.
    private static let pause: UInt64 = 1500

    private var state = State.unasked
    private var beganAt: UInt64 = 0

    /// Whether it is to be fetched now.
    func isWanted(at tick: UInt64) -> Bool {
        switch state {
        case .unasked: true
        case .asked, .ready: false
        case .missing(let then): tick &- then > Self.pause
        }
    }

    var isReady: Bool { if case .ready = state { true } else { false } }

    mutating func ask(_ number: UInt64) { state = .asked(number) }

    mutating func take(_ number: UInt64, _ samples: [Int16]?, at tick: UInt64) {
        guard case .asked(number) = state else { return }
        state = samples.map { .ready($0) } ?? .missing(at: tick)
        beganAt = tick
    }

    /// From its beginning.
    mutating func begin(at tick: UInt64) { beganAt = tick }

    /// Overwrites `frame`; false when there is none.
    func next(into frame: inout [Int16], at tick: UInt64) -> Bool {
        guard case .ready(let samples) = state, !samples.isEmpty else { return false }
        var place = Int(truncatingIfNeeded: (tick &- beganAt) &* UInt64(Samples.frame) % UInt64(samples.count))
        for index in frame.indices {
            frame[index] = samples[place]
            place = place + 1 == samples.count ? 0 : place + 1
        }
        return true
    }
}
