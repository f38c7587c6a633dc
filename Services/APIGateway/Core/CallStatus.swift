import Contracts

/// The words of `Call.Status` and `Call.Direction`, for filters and descriptions.
enum CallStatus {
    static let names: [String] = [
        Call.Status.queued, .ringing, .inProgress, .completed, .busy, .noAnswer, .failed, .canceled,
    ].map(\.rawValue)
}

/// Whether a customer may use the platform.
enum CustomerStatus: String, Codable, Sendable, CaseIterable { case active, suspended }
