import Contracts
import Flow

/// The events of a call. They are written behind it, so each stands in the leg's snapshot until it is known to be in PostgreSQL: whoever goes
/// on with the leg tells of it again, by its number, and what is written already is not written twice (`CallStore.write`).
extension Leg {
    /// More have not been told only when PostgreSQL has been away for long; of those beyond, a successor does not know.
    private static let mostUntold = 200

    struct Untold: Codable, Sendable, Equatable {
        var type: String
        var sequence: Int64
        var timestamp: Timestamp
        /// The call's, then.
        var status: Call.Status
        var details: [String: JSONValue]?
    }

    mutating func publish(_ type: String, with details: [String: JSONValue] = [:], into effects: inout [LegEffect]) {
        sequence += 1
        toldRoom = record.roomID
        let time = changedAt ?? record.createdAt
        if untold?.count ?? 0 < Self.mostUntold {
            untold = (untold ?? []) + [
                Untold(type: type, sequence: sequence, timestamp: time, status: record.status, details: details.isEmpty ? nil : details)
            ]
        }
        effects.append(.publish(type: type, record, sequence: sequence, at: time, with: details))
    }

    /// Its events up to that one are in PostgreSQL.
    mutating func told(upTo sequence: Int64) {
        guard let left = untold?.filter({ $0.sequence > sequence }) else { return }
        untold = left.isEmpty ? nil : left
    }

    /// Its owner has died, perhaps before they were written.
    mutating func tellAgain(into effects: inout [LegEffect]) {
        for event in untold ?? [] {
            effects.append(.publish(
                type: event.type, record.when(event.status), sequence: event.sequence, at: event.timestamp, with: event.details ?? [:]))
        }
    }
}

extension Call {
    /// As it was with that status, as far as what has come since can be told apart.
    fileprivate func when(_ status: Status) -> Call {
        guard status != self.status else { return self }
        var call = self
        call.status = status
        if !status.isFinal {
            (call.endedAt, call.sipCode, call.hangupCause, call.hangupBy, call.hangupReason, call.media) = (nil, nil, nil, nil, nil, nil)
        }
        if status == .queued || status == .ringing { call.answeredAt = nil }
        if status == .queued { call.ringingAt = nil }
        return call
    }
}
