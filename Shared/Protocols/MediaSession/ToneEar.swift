internal import Audio
internal import Codecs

/// Hears the keys in the G.711 of one source, a packet at a time, and takes them out of the sound: what is an event, or nothing at all,
/// must not be heard as a tone besides. That delays the sound by 25.5 ms.
struct ToneEar: ~Copyable {
    static let longestPacket = 1120
    /// What a packet had of keys.
    struct Heard {
        private(set) var events = InlineArray<8, ToneDetector.Event>(repeating: .began(0))
        private(set) var count = 0

        mutating func append(_ event: ToneDetector.Event) {
            guard count < events.count else { return }
            events[count] = event
            count += 1
        }
    }

    /// Codes, in µ-law, that take the place of the packet heard last; as long as it was.
    private(set) var codes: [UInt8]
    private var detector: ToneDetector

    /// Nil when there is no detector to be had.
    init?() {
        guard let detector = try? ToneDetector(erasing: true) else { return nil }
        self.detector = detector
        codes = Array(repeating: G711.Law.ulaw.silence, count: Self.longestPacket)
    }

    mutating func hear(_ payload: Span<UInt8>, _ law: G711.Law) -> Heard {
        var heard = Heard()
        guard payload.count <= Self.longestPacket else { return heard }
        // On the stack, which is at hand: a memory of each session's own would be far away by the next packet.
        var sound = InlineArray<1120, Int16>(repeating: 0)
        Self.listen(payload, law, &detector, &sound, &heard)
        Self.encode(sound.span.extracting(0..<payload.count), into: &codes)
        return heard
    }

    // Static, so that each of the memories is one argument, and none overlaps another.

    private static func listen(
        _ payload: Span<UInt8>, _ law: G711.Law, _ detector: inout ToneDetector, _ sound: inout InlineArray<1120, Int16>, _ heard: inout Heard
    ) {
        var samples = sound.mutableSpan
        G711.decode(payload, law, into: &samples, at: 0)
        var position = 0
        while let event = detector.pass(&samples, from: &position, to: payload.count) { heard.append(event) }
    }

    private static func encode(_ sound: Span<Int16>, into codes: inout [UInt8]) {
        var left = codes.mutableSpan
        G711.encode(sound, .ulaw, into: &left, at: 0)
    }
}
