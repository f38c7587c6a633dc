/// Cuts utterances out of sound: from a little before speech was noticed to where it ended.
public struct SpokenStretch: Sendable {
    public enum Step: Sendable {
        case nothing
        /// With what came shortly before.
        case began([Int16])
        case goesOn([Int16])
        case ended([Int16])
    }

    private let lead: Int
    private var before: [Int16] = []
    public private(set) var isOpen = false
    /// In ms from the beginning of the sound.
    public private(set) var start = 0
    public private(set) var end = 0

    /// - Parameter lead: how much of the sound before belongs to it, in ms.
    public init(lead: Int) { self.lead = lead * 8 }

    public mutating func take(_ piece: RecognitionSound) -> Step {
        let pieceEnd = piece.start + piece.samples.count / 8
        switch (isOpen, piece.edge) {
        case (false, .began):
            let samples = before + piece.samples
            (isOpen, start, end) = (true, max(0, pieceEnd - samples.count / 8), pieceEnd)
            before = []
            return .began(samples)
        case (true, .ended):
            (isOpen, end) = (false, pieceEnd)
            return .ended(piece.samples)
        case (true, _):
            end = pieceEnd
            return .goesOn(piece.samples)
        case (false, _):
            before += piece.samples
            if before.count > lead { before.removeFirst(before.count - lead) }
            return .nothing
        }
    }
}
