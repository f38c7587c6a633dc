/// Takes the tones of keys out of a stream of sound that is written later than it came, so that their delay is made up for.
public final class KeySilencer {
    private var detector: ToneDetector
    /// What the detector holds back is not sound yet.
    private var surplus = ToneDetector.erasingDelay

    public init() throws(CodecError) { detector = try ToneDetector(erasing: true) }

    /// The sound that is certain to hold no tone: as much as came in, later.
    public func pass(_ sound: inout [Int16]) {
        var position = 0
        var span = sound.mutableSpan
        while detector.pass(&span, from: &position) != nil {}
        let early = min(surplus, sound.count)
        sound.removeFirst(early)
        surplus -= early
    }

    /// Appends what is still inside.
    public func finish(into sound: inout [Int16]) {
        var rest = [Int16](repeating: 0, count: ToneDetector.erasingDelay)
        pass(&rest)
        sound += rest
    }
}
