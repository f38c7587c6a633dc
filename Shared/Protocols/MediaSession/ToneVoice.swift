internal import Audio
internal import Deadlines
internal import RTP

/// Speaks events as tones, for a phone that takes no events: each packet of an event brings the tone up to its duration.
struct ToneVoice {
    /// A first packet may come late into its event; what is longer ago is not made up for.
    private static let most = 480
    /// Without another packet for so long, the key is up.
    private static let patience = Interval.milliseconds(100)

    private(set) var codes: [UInt8]
    private var samples: [Int16]
    private var tone = Tone(frequencies: [])
    private var code: UInt8 = 0
    private var began: Timestamp?
    private var spoken = 0
    private var lastAt: Instant?

    init() {
        codes = Array(repeating: 0, count: Self.most)
        samples = Array(repeating: 0, count: Self.most)
    }

    func isSpeaking(at now: Instant) -> Bool { lastAt.map { now - $0 < Self.patience } ?? false }

    /// Whether the room's own sound of that time has to be silent: the key is down, or its tone has gone further already.
    func covers(_ timestamp: Timestamp, now: Instant) -> Bool {
        guard !isSpeaking(at: now) else { return true }
        guard let began else { return false }
        let distance = timestamp.distance(from: began)
        return distance >= 0 && distance < spoken
    }

    /// The tone that is owed after this packet: so many of `codes`, in µ-law, beginning so long after the event.
    mutating func speak(_ event: TelephoneEvent, _ digit: Character, at timestamp: Timestamp, now: Instant) -> (count: Int, offset: Int) {
        if timestamp != began || event.code != code {
            guard let frequencies = DTMF.frequencies(of: digit) else { return (0, 0) }
            // ITU-T Q.23 and Q.24 leave the level to the network; events bear it in -dBm0 (RFC 4733 §2.3).
            let level = -Double(max(4, min(event.volume, 18)))
            tone = Tone(frequencies: [frequencies.low, frequencies.high], level: .dBm0(level))
            (code, began, spoken) = (event.code, timestamp, 0)
        }
        // The end comes three times: after the first nothing is owed.
        lastAt = event.isEnd ? nil : now
        let offset = max(spoken, Int(event.duration) - Self.most)
        let count = Int(event.duration) - offset
        guard count > 0 else { return (0, 0) }
        spoken = offset + count
        Self.fill(&samples, count, by: &tone)
        Self.encode(samples, count, into: &codes)
        return (count, offset)
    }

    private static func fill(_ samples: inout [Int16], _ count: Int, by tone: inout Tone) {
        var all = samples.mutableSpan
        var part = all._mutatingExtracting(0..<count)
        tone.fill(&part)
    }

    private static func encode(_ samples: [Int16], _ count: Int, into codes: inout [UInt8]) {
        var bytes = codes.mutableSpan
        G711.encode(samples.span.extracting(0..<count), .ulaw, into: &bytes, at: 0)
    }
}
