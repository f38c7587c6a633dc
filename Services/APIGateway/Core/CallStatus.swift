import Contracts

/// The words of `Call.Status`, for filters and descriptions.
enum CallStatus {
    static let names: [String] = [
        Call.Status.queued, .ringing, .inProgress, .completed, .busy, .noAnswer, .failed, .canceled,
    ].map(\.rawValue)
}
