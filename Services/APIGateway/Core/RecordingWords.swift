import Contracts

/// The words of recordings, for schemas.
enum RecordingWords {
    static let statuses = Recording.Status.allCases.map(\.rawValue)
    static let layouts = RecordingTerms.Layout.allCases.map(\.rawValue)
    static let formats = RecordingTerms.Format.allCases.map(\.rawValue)
    static let ends = Recording.End.allCases.map(\.rawValue)
}
