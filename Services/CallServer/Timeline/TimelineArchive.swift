import Cache
import Contracts
import Database
import Deadlines
import FoundationEssentials
import JSONCoding
import Logging
import ServiceKit
import Threads

/// Puts the timelines of calls that are over from Redis into PostgreSQL: one row a call, so that they can be looked at for days without
/// filling the memory that live calls need.
final class TimelineArchive: Sendable {
    static let settings = [
        Setting("TANDEM_TIMELINE_DAYS", .integer(1...3_650), default: "3", "how long timelines of calls are kept")
    ]

    private struct Ended: Sendable {
        let root: String
        let customer: String

        var member: String { "\(root) \(customer)" }
    }

    /// Milliseconds; whoever else notes something of the call has done so by then.
    private static let patience: Int64 = 4_000
    /// Whoever has taken some and has not put them away by then is gone.
    private static let lease: Int64 = 30_000
    private static let batch = 100
    /// The calls that are over, by the time (milliseconds) at which their timelines are to be put away.
    private static let key = "tandem:timeline:ended"

    let timeline: Timeline
    private let cache: Cache
    private let database: Database
    private let logger: Logger
    private let days: Int

    init(_ runtime: Runtime) {
        timeline = Timeline(runtime)
        (cache, database, logger) = (runtime.cache, runtime.database, runtime.logger)
        days = runtime.settings.integer("TANDEM_TIMELINE_DAYS")
    }

    /// Stands in Redis, as the timeline does: any CallServer may put it away.
    func put(_ root: String, customer: String) {
        let due = WallClock.milliseconds() + Self.patience
        cache.command(["ZADD", CacheArgument(Self.key), CacheArgument(due), CacheArgument(Ended(root: root, customer: customer).member)]) { _ in }
    }

    /// Until cancelled; once an hour what is too old goes.
    func run() async {
        var cleaning = MonotonicClock.now()
        while !Task.isCancelled {
            // Throws only when cancelled, which ends the loop.
            try? await Task.sleep(for: .seconds(1))
            await putAway()
            guard MonotonicClock.now() >= cleaning else { continue }
            cleaning = MonotonicClock.now() + .seconds(3_600)
            await clean()
        }
    }

    /// The service ends: what is due later is another's, or its successor's.
    func finish() async {
        await timeline.flush()
        await putAway()
    }

    private func putAway() async {
        do {
            while !Task.isCancelled {
                let due = try await take()
                guard !due.isEmpty else { return }
                try await store(due)
                try await cache.command(["ZREM", CacheArgument(Self.key)] + due.map { CacheArgument($0.member) })
            }
        } catch {
            // The lists stay in Redis for hours: they are tried again.
            logger.debug("timelines cannot be put away: \(error)")
        }
    }

    private func take() async throws(CacheError) -> [Ended] {
        let now = WallClock.milliseconds()
        let reply = try await cache.script(
            Self.takeScript, keys: [Self.key],
            arguments: [CacheArgument(now), CacheArgument(now + Self.lease), CacheArgument(Self.batch)])
        return (reply.array ?? []).compactMap { member in
            guard let parts = member.text?.split(separator: " "), parts.count == 2 else { return nil }
            return Ended(root: String(parts[0]), customer: String(parts[1]))
        }
    }

    private static let takeScript = LuaScript(
        """
        local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
        for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], member) end
        return due
        """)

    private func store(_ ended: [Ended]) async throws {
        var rows: [(Ended, String)] = []
        for call in ended {
            let entries = try await timeline.texts(of: call.root, customer: call.customer)
            guard !entries.isEmpty else { continue }
            // Each is JSON already: a list of them is one with commas between.
            rows.append((call, "[" + String(decoding: Array(entries.joined(separator: [UInt8(ascii: ",")])), as: UTF8.self) + "]"))
        }
        let found = rows
        guard !found.isEmpty else { return }
        try await database.transaction(.relaxed) { connection in
            for (call, text) in found {
                try connection.query(
                    """
                    insert into calls.timelines (call_id, customer_id, entries) values ($1, $2, $3)
                    on conflict (call_id) do update set entries = excluded.entries
                    where timelines.customer_id = excluded.customer_id and length(timelines.entries) < length(excluded.entries)
                    """, [.text(call.root), .text(call.customer), .text(text)])
            }
        }
        for (call, _) in found { timeline.settle(call.root, customer: call.customer) }
    }

    private func clean() async {
        do {
            _ = try await database.run { [days] connection in
                try connection.change("delete from calls.timelines where stored_at < now() - make_interval(days => $1::integer)", [.int(days)])
            }
        } catch {
            logger.warning("old timelines cannot be deleted: \(error)")
        }
    }

    // MARK: Reading

    /// What was put away and what is in Redis, each entry once, in order.
    func entries(of root: String, customer: String) async throws -> [TimelineEntry] {
        let row = try await database.run { connection in
            try connection.query(
                "select entries from calls.timelines where customer_id = $1 and call_id = $2", [.text(customer), .text(root)]
            ).first?.text("entries")
        }
        var entries = try row.map { try JSONText.decode([TimelineEntry].self, from: Array($0.utf8)) } ?? []
        var known = Set(entries.map { "\($0.writer)/\($0.microseconds)/\($0.sequence)" })
        // Without Redis there is what was put away.
        for entry in (try? await timeline.entries(of: root, customer: customer)) ?? []
        where known.insert("\(entry.writer)/\(entry.microseconds)/\(entry.sequence)").inserted {
            entries.append(entry)
        }
        return entries.sorted { ($0.microseconds, $0.writer, $0.sequence) < ($1.microseconds, $1.writer, $1.sequence) }
    }
}

/// `call.timeline`.
struct ReadTimeline: Sendable {
    let store: CallStore
    let archive: TimelineArchive

    func perform(_ command: GetTimeline) async throws -> GetTimeline.Reply {
        guard let (call, _) = try await store.find(command.id, customer: command.customerID) else { throw RPCError(.notFound, "no such call") }
        let entries = try await archive.entries(of: call.parentCallID ?? call.id, customer: command.customerID)
        return GetTimeline.Reply(entries: call.parentCallID == nil ? entries : entries.filter { $0.callID == call.id })
    }
}
