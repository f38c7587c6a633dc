import Contracts
import Database
import Flow
import ServiceKit

/// Runs without a call, and what is to become one.
extension Store {
    /// Those that go on, whoever has begun them; the oldest first.
    func aloneRuns(limit: Int) async throws -> [StoredRun] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.storedColumns), (select id from flows.lives) as life
                from flows.runs where alone and status = 'running' order by id limit $1
                """, [.int(limit)]
            ).map { try Self.stored($0, life: try $0.optionalText("life")) }
        }
    }

    /// What is to run when a recording is there.
    struct RecordingEnd: Sendable, Equatable {
        var recordingID: String
        var customerID: String
        var flowID: String
        var runID: String
        var referenceID: String
    }

    func expect(_ end: RecordingEnd) async throws {
        try await run { connection in
            _ = try connection.change(
                """
                insert into flows.recording_ends (recording_id, customer_id, flow_id, run_id, reference_id) values ($1, $2, $3, $4, $5)
                on conflict (recording_id) do nothing
                """,
                [.text(end.recordingID), .text(end.customerID), .text(end.flowID), .text(end.runID), .text(end.referenceID)])
        }
    }

    func recordingEnd(_ id: String, customerID: String) async throws -> RecordingEnd? {
        try await run { connection in
            try connection.query(
                "select recording_id, customer_id, flow_id, run_id, reference_id from flows.recording_ends where recording_id = $1 and customer_id = $2",
                [.text(id), .text(customerID)]
            ).first.map {
                RecordingEnd(
                    recordingID: try $0.text("recording_id"), customerID: try $0.text("customer_id"), flowID: try $0.text("flow_id"),
                    runID: try $0.text("run_id"), referenceID: try $0.text("reference_id"))
            }
        }
    }

    /// Once its run is there; and those of recordings of which nobody tells any more.
    func forget(recordingEnd id: String, customerID: String) async throws {
        try await run { connection in
            _ = try connection.change(
                "delete from flows.recording_ends where (recording_id = $1 and customer_id = $2) or created_at < now() - interval '7 days'",
                [.text(id), .text(customerID)])
        }
    }
}
