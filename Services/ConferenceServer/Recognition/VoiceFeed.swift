import Audio
import Contracts
import Hearing
import Recognition

/// One side of a transcription: makes pieces of its frames, marks where speech begins and ends, and hands them to its recogniser.
/// Touched by `Transcriptions.run` alone.
struct VoiceFeed {
    /// A recogniser that is this far behind has failed: 20 s.
    private static let longestQueue = 200
    /// Frames of a piece.
    private static let pieceFrames = 5

    let side: Transcription.Side
    let sound: AsyncStream<RecognitionSound>
    private let queue: AsyncStream<RecognitionSound>.Continuation
    private var extractor = FeatureExtractor()
    private var voice = VoiceActivity()
    private var samples: [Int16] = []
    private var frame = [Int16](repeating: 0, count: Samples.frame)
    /// In ms.
    private var start = 0

    init(_ side: Transcription.Side) {
        self.side = side
        (sound, queue) = AsyncStream.makeStream(of: RecognitionSound.self, bufferingPolicy: .bufferingOldest(Self.longestQueue))
    }

    /// False when the recogniser does not keep up.
    mutating func take(_ codes: Span<UInt8>) -> Bool {
        guard codes.count == Samples.frame else { return true }
        decode(codes)
        let edge: RecognitionSound.Edge? =
            switch voice.hear(Self.features(of: frame, by: &extractor)) {
            case .began: .began
            case .ended: .ended
            case nil: nil
            }
        samples += frame
        guard edge != nil || samples.count >= Self.pieceFrames * Samples.frame else { return true }
        return send(edge)
    }

    /// Frames that got lost on the way here.
    mutating func skip(frames: Int) -> Bool {
        for _ in 0..<frames {
            samples += [Int16](repeating: 0, count: Samples.frame)
            if samples.count >= Self.pieceFrames * Samples.frame, !send(nil) { return false }
        }
        return true
    }

    mutating func finish() {
        if !samples.isEmpty { _ = send(nil) }
        queue.finish()
    }

    private static func features(of frame: [Int16], by extractor: inout FeatureExtractor) -> Features { extractor.hear(frame.span) }

    private mutating func decode(_ codes: Span<UInt8>) {
        var span = frame.mutableSpan
        G711.decode(codes, .ulaw, into: &span, at: 0)
    }

    private mutating func send(_ edge: RecognitionSound.Edge?) -> Bool {
        let piece = RecognitionSound(samples, edge: edge, start: start)
        start += samples.count / 8
        samples = []
        if case .dropped = queue.yield(piece) { return false }
        return true
    }
}
