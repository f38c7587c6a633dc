public import Cache
public import Contracts
internal import Bytes
internal import Deadlines
internal import FoundationEssentials
internal import JSONCoding
internal import Synchronization
internal import Telemetry
internal import Threads

/// Writes down what a service does for calls, for their X-ray. Nothing waits for it: what is noted is written four times a second, for each
/// call into a bounded list in Redis, and dropped, and counted, when Redis is away or too much waits.
///
/// A call's list has the name of its first leg; all services decide alike which calls are written down.
public final class Timeline: Sendable {
    public static let settings = [
        Setting("TANDEM_TIMELINE", .flag, default: "1", "whether what happens on calls is written down (GET /v1/calls/{id}/timeline)"),
        Setting("TANDEM_TIMELINE_PERCENT", .integer(0...100), default: "100", "of so many calls of a hundred; the same in all services"),
        Setting("TANDEM_TIMELINE_ENTRIES", .integer(10...10_000), default: "500", "entries of a call, with those of the calls it makes"),
    ]

    /// What is noted; the rest of the entry is made when it is written.
    public struct Note: Sendable {
        /// The first leg of the call.
        public var root: String
        public var customer: String
        public var callID: String
        public var microseconds: Int64
        /// Fills in what takes time to find out.
        public var details: @Sendable (inout TimelineEntry) -> Void

        public init(
            root: String, customer: String, callID: String, microseconds: Int64 = Timeline.now(),
            details: @escaping @Sendable (inout TimelineEntry) -> Void
        ) {
            (self.root, self.customer, self.callID, self.microseconds, self.details) = (root, customer, callID, microseconds, details)
        }
    }

    private struct State {
        var waiting: [(sequence: Int64, note: Note)] = []
        var sequence: Int64 = 0
    }

    private static let capacity = 20_000
    private static let pause = Duration.milliseconds(250)
    /// How long a list is kept in Redis after its last entry.
    private static let keep = Interval.seconds(6 * 3_600)
    /// The longest body of an entry.
    private static let longest = 8_192
    private static let written = Counter("tandem_timeline_entries_total", "entries of calls' timelines that were written")
    private static let dropped = Counter("tandem_timeline_dropped_total", "entries of calls' timelines that were lost, or went from the middle of one with more than TANDEM_TIMELINE_ENTRIES")

    private let cache: Cache
    private let instance: String
    private let percent: UInt64
    private let most: Int
    private let state = Mutex(State())

    /// Its settings are declared by the service.
    public init(_ runtime: Runtime) {
        (cache, instance) = (runtime.cache, runtime.instance)
        let settings = runtime.settings
        percent = settings.flag("TANDEM_TIMELINE") ? UInt64(settings.integer("TANDEM_TIMELINE_PERCENT")) : 0
        most = settings.integer("TANDEM_TIMELINE_ENTRIES")
    }

    public static func now() -> Int64 { WallClock.microseconds() }

    /// Whether anything is written down of a call.
    public func isKept(_ root: String) -> Bool { percent > 0 && (percent >= 100 || StableHash.hash(root.utf8) % 100 < percent) }

    /// Of a call that is kept.
    public func add(_ note: Note) {
        let isTaken = state.withLock { state in
            state.sequence += 1
            guard state.waiting.count < Self.capacity else { return false }
            state.waiting.append((state.sequence, note))
            return true
        }
        if !isTaken { Self.dropped.add() }
    }

    /// Writes until cancelled, and then what is left.
    public func run() async {
        while !Task.isCancelled {
            await flush()
            // Throws only when cancelled, which ends the loop.
            try? await Task.sleep(for: Self.pause)
        }
        await flush()
    }

    /// Everything that was noted is in Redis, or lost.
    public func flush() async {
        let notes = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        guard !notes.isEmpty else { return }
        var lists: [String: [CacheArgument]] = [:]
        for (sequence, note) in notes {
            var entry = TimelineEntry(
                microseconds: note.microseconds, sequence: sequence, writer: instance, callID: note.callID, kind: .event, from: instance, to: "",
                summary: "")
            note.details(&entry)
            if let body = entry.body, body.utf8.count > Self.longest { entry.body = String(decoding: body.utf8.prefix(Self.longest), as: UTF8.self) }
            lists[Self.key(note.root, note.customer), default: []].append(CacheArgument(Self.json(entry)))
        }
        await withCheckedContinuation { continuation in
            // One wakes who waits, not each.
            let left = Atomic(lists.count)
            for (key, entries) in lists {
                append(entries, to: key) {
                    if left.subtract(1, ordering: .relaxed).newValue == 0 { continuation.resume() }
                }
            }
        }
    }

    private func append(_ entries: [CacheArgument], to key: String, then: @escaping @Sendable () -> Void) {
        let arguments = [CacheArgument(most), CacheArgument(Self.keep.nanoseconds / 1_000_000)] + entries
        cache.script(Self.appendScript, keys: [key, Self.end(of: key)], arguments: arguments) { result in
            // Redis's absence is told elsewhere.
            if case .success(let reply) = result {
                Self.written.add(UInt64(entries.count))
                Self.dropped.add(UInt64(max(0, reply.integer ?? 0)))
            } else {
                Self.dropped.add(UInt64(entries.count))
            }
            then()
        }
    }

    // MARK: Reading

    /// What there is of a call in Redis, in the order it was written.
    public func entries(of root: String, customer: String) async throws(CacheError) -> [TimelineEntry] {
        try await texts(of: root, customer: customer).compactMap { try? JSONText.decode(TimelineEntry.self, from: $0) }
    }

    /// The same as JSON, each entry a text.
    public func texts(of root: String, customer: String) async throws(CacheError) -> [[UInt8]] {
        let key = Self.key(root, customer)
        let reply = try await cache.script(Self.readScript, keys: [key, Self.end(of: key)], arguments: [])
        return (reply.array ?? []).flatMap { $0.array ?? [] }.compactMap(\.bytes)
    }

    /// It is kept elsewhere: Redis may forget it soon. What is still noted is kept beside.
    public func settle(_ root: String, customer: String) {
        let key = Self.key(root, customer)
        for list in [key, Self.end(of: key)] { cache.command(["PEXPIRE", CacheArgument(list), "60000"]) { _ in } }
    }

    private static func key(_ root: String, _ customer: String) -> String { "tandem:timeline:\(customer):\(root)" }
    private static func end(of key: String) -> String { key + ":end" }

    /// Of more entries than a call may have the first half stays, and the last: how it began and how it ended. Returns how many went.
    private static let appendScript = LuaScript(
        """
        local most = math.ceil(ARGV[1] / 2)
        local first = math.max(0, math.min(#ARGV - 2, most - redis.call('LLEN', KEYS[1])))
        local gone = 0
        local function push(key, from, to)
            for place = from, to, 500 do redis.call('RPUSH', key, unpack(ARGV, place, math.min(place + 499, to))) end
            redis.call('PEXPIRE', key, ARGV[2])
        end
        if first > 0 then push(KEYS[1], 3, first + 2) end
        if first < #ARGV - 2 then
            push(KEYS[2], first + 3, #ARGV)
            gone = math.max(0, redis.call('LLEN', KEYS[2]) - (ARGV[1] - most))
            if gone > 0 then redis.call('LTRIM', KEYS[2], gone, -1) end
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end
        return gone
        """)

    private static let readScript = LuaScript("return {redis.call('LRANGE', KEYS[1], 0, -1), redis.call('LRANGE', KEYS[2], 0, -1)}")

    // MARK: Writing

    /// By hand, as there are many: what `TimelineEntry` decodes.
    static func json(_ entry: TimelineEntry) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(320 + (entry.body?.utf8.count ?? 0) * 9 / 8)
        bytes += "{\"time_us\":".utf8
        bytes += String(entry.microseconds).utf8
        bytes += ",\"seq\":".utf8
        bytes += String(entry.sequence).utf8
        append(",\"writer\":\"", entry.writer, to: &bytes)
        append(",\"call_id\":\"", entry.callID, to: &bytes)
        append(",\"kind\":\"", entry.kind.rawValue, to: &bytes)
        append(",\"from\":\"", entry.from, to: &bytes)
        append(",\"to\":\"", entry.to, to: &bytes)
        append(",\"via\":\"", entry.via, to: &bytes)
        append(",\"summary\":\"", entry.summary, to: &bytes)
        append(",\"outcome\":\"", entry.outcome, to: &bytes)
        if let duration = entry.duration {
            bytes += ",\"duration_us\":".utf8
            bytes += String(duration).utf8
        }
        append(",\"body\":\"", entry.body, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// A member whose text begins after `name`.
    private static func append(_ name: String, _ value: String?, to bytes: inout [UInt8]) {
        guard let value else { return }
        bytes += name.utf8
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            case 0..<32: bytes += ("\\u00" + Hexadecimal.encode([byte])).utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
