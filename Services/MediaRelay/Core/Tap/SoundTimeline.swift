import Audio
import RTP

/// The sound of one direction on the clock of a recording: every packet where its timestamp puts it, silence where nothing came.
///
/// Positions are samples since the recording began. What is not taken out yet can still be filled by late packets.
struct SoundTimeline {
    /// How far a packet's place may lie from its arrival before the stream's clock is taken to have been set anew.
    private static let lateness = 400 * 8
    private static let earliness = 250 * 8
    private static let window = 1 << 14
    /// A key is silenced from a little before to a little after: phones send its tone as sound until they are sure.
    private static let margin = 60 * 8
    private static let mutedLimit = 64

    private var samples = [Int16](repeating: 0, count: window)
    /// Where what can still be filled begins.
    private(set) var start = 0
    private var source: SSRC?
    private var anchor: (timestamp: Timestamp, position: Int)?
    /// Ticks of its clock in a second.
    private var clockRate = 8000
    private var muted: [Range<Int>] = []

    /// A packet that arrived at `arrival`: µ-law codes.
    mutating func place(_ codes: Span<UInt8>, of header: Header, arrival: Int) {
        let first = position(of: header, arrival: arrival)
        let table = G711.linearFromUlaw
        for index in codes.indices {
            let place = first + index
            if place >= start, place < start + Self.window { samples[place & (Self.window - 1)] = table[Int(codes[index])] }
        }
    }

    /// The same for a packet whose sound has been decoded, of a source with another clock.
    mutating func place(_ sound: ArraySlice<Int16>, of header: Header, clockRate: Int, arrival: Int) {
        if clockRate != self.clockRate { (source, self.clockRate) = (nil, clockRate) }
        let first = position(of: header, arrival: arrival)
        for (offset, sample) in sound.enumerated() {
            let place = first + offset
            if place >= start, place < start + Self.window { samples[place & (Self.window - 1)] = sample }
        }
    }

    /// A key was down since the packet's timestamp, for so many samples at least.
    mutating func mute(_ header: Header, duration: Int, arrival: Int) {
        let first = position(of: header, arrival: arrival, isEvent: true)
        let range = max(0, first - Self.margin)..<max(0, first) + duration + Self.margin
        if let last = muted.last, last.upperBound >= range.lowerBound, last.lowerBound <= range.upperBound {
            muted[muted.count - 1] = min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
        } else if muted.count < Self.mutedLimit {
            muted.append(range)
        }
    }

    /// Appends the sound up to `end`, which nothing changes any more.
    mutating func take(until end: Int, into sound: inout [Int16]) {
        while start < end {
            sound.append(muted.contains { $0.contains(start) } ? 0 : samples[start & (Self.window - 1)])
            samples[start & (Self.window - 1)] = 0
            start += 1
        }
        muted.removeAll { $0.upperBound <= start }
    }

    private mutating func position(of header: Header, arrival: Int, isEvent: Bool = false) -> Int {
        if source == header.ssrc, let anchor {
            let place = anchor.position + header.timestamp.distance(from: anchor.timestamp) * 8000 / clockRate
            // An event's timestamp is that of its beginning, which may be long ago.
            let oldest = isEvent ? 60 * 8000 : Self.lateness
            if arrival - place <= oldest, place - arrival <= Self.earliness {
                if !isEvent { self.anchor = (header.timestamp, place) }
                return place
            }
        }
        (source, anchor) = (header.ssrc, (header.timestamp, arrival))
        return arrival
    }
}
