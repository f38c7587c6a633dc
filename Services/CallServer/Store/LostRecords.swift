import Cache
import Contracts
import Database
import Deadlines
import Flow
import FoundationEssentials
import JSONCoding
import Logging
import ServiceKit
import Telemetry
import Threads

/// Records of calls that nobody goes on with: their CallServer is gone, and so is what another could have taken them over from. They are
/// ended, so that every call has its record, and everybody who follows its events hears the last one.
struct LostRecords: Sendable {
    private static let lost = Counter("tandem_call_lost_total", "call legs whose server was gone and that nobody could take over; their records were ended")
    private static let mostAtOnce: Int64 = 500

    let database: Database
    let journal: Journal
    let engine: CallEngine
    let runtime: Runtime
    /// So long a record must have looked lost.
    let patience: Interval
    let committed: @Sendable () -> Void

    private struct Found: Sendable {
        var call: Call
        var sequence: Int64
        var dialog: Leg.DialogSide?
    }

    /// Looks again and again, until cancelled.
    func sweep() async {
        var suspects: [String: (since: Instant, time: Timestamp)] = [:]
        let pause = min(.seconds(10), patience)
        while !Task.isCancelled {
            try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            do {
                let found = try await find()
                let ids = Set(found.map(\.call.id))
                suspects = suspects.filter { ids.contains($0.key) }
                let now = MonotonicClock.now()
                for lost in found {
                    let first = suspects[lost.call.id] ?? (now, runtime.timestamp())
                    suspects[lost.call.id] = first
                    guard now - first.since >= patience else { continue }
                    // When it was first missed is when it ended, as far as anybody knows.
                    if try await end(lost, at: first.time) {
                        Self.lost.add()
                        runtime.logger.warning("a call was lost with its server", metadata: ["call": "\(lost.call.id)"])
                    }
                    suspects[lost.call.id] = nil
                }
            } catch {
                runtime.logger.debug("lost calls cannot be looked for: \(error)")
            }
        }
    }

    /// Live records of servers that are gone, or of this one, which knows nothing of them; of which no snapshot is left. One instance looks
    /// for all, and none while the bus is away: then nobody knows who lives.
    private func find() async throws -> [Found] {
        let living = runtime.fleet.living(.callServer).map(\.instance)
        guard living.first == runtime.instance else { return [] }
        let others = living.dropFirst().map(\.self)
        let live = await engine.liveIDs
        let rows = try await database.run { connection in
            try connection.query(
                """
                select record, sequence, dialog from calls.calls
                where status in ('queued', 'ringing', 'in_progress') and server <> all($1) and id <> all($2) order by id limit $3
                """, [.texts(others), .texts(Array(live)), .int(Self.mostAtOnce)]
            ).map { row in
                Found(call: try CallStore.call(row), sequence: try row.int("sequence"), dialog: try CallStore.dialogSide(row))
            }
        }
        var found: [Found] = []
        for row in rows where !journal.holds(row.call.id) {
            // What is left in Redis is taken over by whoever finds it first.
            if try await journal.snapshots.load(Journal.kind, row.call.id) == nil { found.append(row) }
        }
        return found
    }

    /// False when somebody has written meanwhile.
    private func end(_ lost: Found, at time: Timestamp) async throws -> Bool {
        let (call, sequence) = (Self.ended(lost.call, at: time), lost.sequence + 1)
        let json = try JSONText.encode(call)
        let event = Event(
            id: runtime.newID("evt"), type: "call.ended", timestamp: runtime.timestamp(), customerID: call.customerID, resourceID: call.id,
            sequence: sequence, data: try JSONValue(json: json))
        let number = call.watchedNumber ?? ""
        let watching = try CallStore.dialogEvent(call, lost.dialog, number, id: event.id, at: event.timestamp, sequence: sequence)
        let isOurs = try await database.transaction(.relaxed) { connection in
            let changed = try connection.change(
                """
                update calls.calls set status = $3, sequence = $4, record = $5::jsonb
                where customer_id = $1 and id = $2 and sequence = $6 and status in ('queued', 'ringing', 'in_progress')
                """,
                [
                    .text(call.customerID), .text(call.id), .text(call.status.rawValue), .int(sequence),
                    .text(String(decoding: json, as: UTF8.self)), .int(lost.sequence),
                ])
            guard changed > 0 else { return false }
            try Outbox.add(event, schema: CallStore.schema, on: connection)
            try connection.change(
                CallStore.telling(events: "$1", customers: "$2", numbers: "$3", if: "true"),
                [Outbox.texts([watching]), .texts([call.customerID]), .texts([number])])
            return true
        }
        if isOurs {
            committed()
            if call.parentCallID == nil { engine.archive.put(call.id, customer: call.customerID) }
        }
        return isOurs
    }

    /// One that was answered is completed, as far as it came (Q.850 41, temporary failure); others have failed.
    static func ended(_ call: Call, at time: Timestamp) -> Call {
        var call = call
        call.status = call.answeredAt == nil ? .failed : .completed
        call.endedAt = max(time, call.answeredAt ?? call.createdAt)
        (call.hangupCause, call.hangupBy, call.hangupReason) = (41, "platform", "server_lost")
        return call
    }
}
