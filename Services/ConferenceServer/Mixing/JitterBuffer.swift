import Audio

/// Evens out the arrival of one participant's PCMU: packets go in when they come, a frame of 20 ms comes out every tick.
///
/// Codes are kept by their RTP timestamp, so order, doubles and any packet time take care of themselves. The delay starts at
/// one frame, grows by a frame when one came just too late, and shrinks when for two seconds it was longer than needed.
struct JitterBuffer {
    /// What may lie in the ring: half a second.
    private static let capacity = 4096
    /// The longest packet: 120 ms, beyond what SDP here ever offers.
    private static let longestPacket = 960
    /// The delay grows no further than this.
    private static let longestDelay = 5 * Samples.frame
    /// A backlog above this (after a stall of the sender) is skipped at once.
    private static let largestBacklog = 12 * Samples.frame
    /// That many late packets in a row are not late: the sender's clock has jumped.
    private static let lateLimit = 5
    private static let concealedFrames = 2
    private static let observedFrames = 100
    /// Frames that can be missed: an hour, beyond which the sender's clock tells nothing.
    private static let longestPass = 180_000
    /// The second zero of µ-law, which no packet needs: marks a place where nothing has arrived.
    private static let missing: UInt8 = 0x7f

    struct Counters {
        var late = 0
        var concealed = 0
        var restarts = 0
    }

    private var ring = [UInt8](repeating: missing, count: capacity)
    private var last = [UInt8](repeating: G711.Law.ulaw.silence, count: Samples.frame)
    /// The timestamp that is read next, and the end of the newest packet.
    private var cursor: UInt32 = 0
    private var filled: UInt32 = 0
    private var isRunning = false
    /// The next packet is read in the very next tick: its sender has been heard otherwise until now.
    private var startsAtOnce = false
    private var missedInARow = 0
    private var lateInARow = 0
    private var shortestBacklog = Int.max
    private var framesObserved = 0
    private(set) var counters = Counters()

    /// What lies ahead of the reader, in samples.
    var backlog: Int { isRunning ? Int(Int32(bitPattern: filled &- cursor)) : 0 }

    mutating func insert(_ codes: Span<UInt8>, at timestamp: UInt32) {
        let count = codes.count
        guard count > 0, count <= Self.longestPacket else { return }
        if !isRunning { start(at: timestamp) }
        var offset = Int(Int32(bitPattern: timestamp &- cursor))
        if offset < 0 {
            if missedInARow > 0, offset >= -Samples.frame, backlog + Samples.frame <= Self.longestDelay {
                // It is the frame just concealed: from now on wait a frame longer.
                cursor &-= UInt32(Samples.frame)
                offset += Samples.frame
            } else if offset > -Self.capacity, lateInARow < Self.lateLimit {
                counters.late += 1
                lateInARow += 1
                return
            } else {
                restart(at: timestamp)
                offset = Samples.frame
            }
        } else if offset + count > Self.capacity {
            restart(at: timestamp)
            offset = Samples.frame
        }
        lateInARow = 0
        store(codes, at: timestamp)
        let end = timestamp &+ UInt32(count)
        if Int32(bitPattern: end &- filled) > 0 { filled = end }
        if backlog > Self.largestBacklog { skip(backlog - 2 * Samples.frame) }
    }

    /// Writes the next frame at `offset`; false when it is silence because nothing came for it.
    mutating func read(into frames: inout [UInt8], at offset: Int) -> Bool {
        guard isRunning else {
            silence(&frames, at: offset)
            return false
        }
        let absent = take(into: &frames, at: offset)
        cursor &+= UInt32(Samples.frame)
        guard absent < Samples.frame else { return conceal(&frames, at: offset) }
        missedInARow = 0
        remember(frames, at: offset)
        observe()
        return true
    }

    /// Time passed without reading: the tick was not kept. What came meanwhile is dropped but for the last two frames, with
    /// which the sound goes on at once.
    mutating func pass(frames: Int) {
        guard isRunning else { return }
        let missed = min(frames, Self.longestPass) * Samples.frame
        let kept = 2 * Samples.frame
        skip(backlog > kept ? min(missed, backlog - kept) : missed)
    }

    /// Forgets what there was, and does without the first delay.
    mutating func startAtOnce() {
        for index in ring.indices { ring[index] = Self.missing }
        (isRunning, startsAtOnce) = (false, true)
    }

    private mutating func start(at timestamp: UInt32) {
        cursor = timestamp &- (startsAtOnce ? 0 : UInt32(Samples.frame))
        startsAtOnce = false
        filled = timestamp
        // Before the first frame there is nothing to repeat.
        (isRunning, missedInARow, shortestBacklog, framesObserved) = (true, Self.concealedFrames, .max, 0)
    }

    private mutating func restart(at timestamp: UInt32) {
        for index in ring.indices { ring[index] = Self.missing }
        counters.restarts += 1
        start(at: timestamp)
    }

    private mutating func store(_ codes: Span<UInt8>, at timestamp: UInt32) {
        let start = Int(timestamp)
        var places = ring.mutableSpan
        for index in codes.indices {
            let code = codes[index]
            places[(start &+ index) & (Self.capacity - 1)] = code == Self.missing ? G711.Law.ulaw.silence : code
        }
    }

    /// Moves a frame out of the ring; how many of its codes had not arrived.
    private mutating func take(into frames: inout [UInt8], at offset: Int) -> Int {
        let start = Int(cursor) & (Self.capacity - 1)
        let first = min(Samples.frame, Self.capacity - start)
        let absent = move(first, from: start, into: &frames, at: offset)
        return first == Samples.frame ? absent : absent + move(Samples.frame - first, from: 0, into: &frames, at: offset + first)
    }

    /// A stretch that does not wrap: the compiler makes sixteen places at a time of it.
    private mutating func move(_ count: Int, from place: Int, into frames: inout [UInt8], at offset: Int) -> Int {
        var places = ring.mutableSpan
        var stretch = places._mutatingExtracting(place..<(place + count))
        var output = frames.mutableSpan
        var target = output._mutatingExtracting(offset..<(offset + count))
        // A frame has fewer places than a byte counts.
        var absent: UInt8 = 0
        for index in 0..<count {
            let code = stretch[index]
            let isMissing = code == Self.missing
            absent &+= isMissing ? 1 : 0
            target[index] = isMissing ? G711.Law.ulaw.silence : code
            stretch[index] = Self.missing
        }
        return Int(absent)
    }

    private mutating func remember(_ frames: [UInt8], at offset: Int) {
        let source = frames.span
        var copy = last.mutableSpan
        for index in 0..<Samples.frame { copy[index] = source[offset + index] }
    }

    private mutating func skip(_ samples: Int) {
        let start = Int(cursor)
        for index in 0..<min(samples, Self.capacity) { ring[(start &+ index) & (Self.capacity - 1)] = Self.missing }
        cursor &+= UInt32(truncatingIfNeeded: samples)
    }

    /// One or two lost frames are covered by the last one fading away; then there is silence.
    private mutating func conceal(_ frames: inout [UInt8], at offset: Int) -> Bool {
        missedInARow += 1
        guard missedInARow <= Self.concealedFrames else { return false }
        counters.concealed += 1
        for index in 0..<Samples.frame {
            last[index] = G711.encode(G711.decode(last[index], .ulaw) / 2, .ulaw)
            frames[offset + index] = last[index]
        }
        return true
    }

    private mutating func observe() {
        shortestBacklog = min(shortestBacklog, backlog)
        framesObserved += 1
        guard framesObserved == Self.observedFrames else { return }
        if shortestBacklog >= 2 * Samples.frame { skip(Samples.frame) }
        (shortestBacklog, framesObserved) = (.max, 0)
    }

    private func silence(_ frames: inout [UInt8], at offset: Int) {
        for index in 0..<Samples.frame { frames[offset + index] = G711.Law.ulaw.silence }
    }
}
