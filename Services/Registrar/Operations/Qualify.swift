import Bytes
import Cache
import Contracts
import Deadlines
import Logging
import SIP
import ServiceKit
import Synchronization
import Telemetry
import Threads

/// Asks every binding by OPTIONS whether its phone is there (RFC 3261 §11), over the binding's Path. One instance at a time does,
/// under a lease in Redis; while Redis is away nobody does, and what was known stays.
final class Qualify: Sendable {
    private static let roundTrips = Histogram("tandem_registrar_round_trip_seconds", "Time until a phone answered an OPTIONS.")
    private static let silent = Counter("tandem_registrar_unreachable_total", "OPTIONS that no phone answered.")
    /// OPTIONS a second, and under way at once.
    private static let rate = 200
    private static let limit = 2_000
    private static let lease = 5_000
    private static let leaseKey = "tandem:registrar:qualify"
    private static let holdScript = LuaScript(
        """
        local owner = redis.call('GET', KEYS[1])
        if owner and owner ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1
        """)

    private let interval: Int
    private let store: Store
    private let copy: BindingCopy
    private let outbox: ServiceKit.Outbox
    private let server: any RequestSending
    private let runtime: Runtime
    /// Bindings that are being asked: a silent one is asked for longer than a short interval lasts.
    private let asked = Mutex(Set<String>())

    /// Nil when `interval` (in seconds) is 0.
    init?(interval: Int, store: Store, copy: BindingCopy, outbox: ServiceKit.Outbox, server: any RequestSending, runtime: Runtime) {
        guard interval > 0 else { return nil }
        (self.interval, self.store, self.copy, self.outbox) = (interval, store, copy, outbox)
        (self.server, self.runtime) = (server, runtime)
    }

    /// Until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var round: QualifyRound?
            while !Task.isCancelled {
                do {
                    if try await holdsLease() { round = try await goOn(with: round, &group) } else { round = nil }
                } catch { runtime.logger.debug("phones are asked later: \(error)") }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func holdsLease() async throws -> Bool {
        let reply = try await runtime.cache.script(
            Self.holdScript, keys: [Self.leaseKey], arguments: [CacheArgument(runtime.incarnation), CacheArgument(Self.lease)])
        return reply.integer == 1
    }

    private func goOn(with round: QualifyRound?, _ group: inout DiscardingTaskGroup) async throws -> QualifyRound {
        let now = runtime.timestamp().milliseconds
        var current: QualifyRound
        if let round, !round.isOver(now: now) {
            current = round
        } else {
            current = QualifyRound(count: try await store.countBindings(now: now), interval: interval, limit: Self.rate, now: now)
        }
        guard !current.isComplete, asked.withLock({ $0.count }) + current.share <= Self.limit else { return current }
        let page = try await store.bindings(after: current.position, now: now, limit: current.share)
        current.took(page.map { QualifyRound.Position(extensionID: $0.extensionID, key: $0.binding.key) })
        for located in page {
            let name = located.extensionID + located.binding.key
            guard asked.withLock({ $0.insert(name).inserted }) else { continue }
            group.addTask {
                await self.ask(located)
                self.asked.withLock { _ = $0.remove(name) }
            }
        }
        return current
    }

    private func ask(_ located: Store.LocatedBinding) async {
        let binding = located.binding
        guard let request = Self.request(to: binding, domain: located.domain, tag: Self.newTag()) else { return }
        let begin = MonotonicClock.now()
        guard let status = await server.send(request) else { return }
        let elapsed = MonotonicClock.now() - begin
        let verdict = QualifyVerdict(status: status)
        switch verdict {
        case .unknown: return
        case .reachable:
            Self.roundTrips.observe(nanoseconds: UInt64(clamping: elapsed.nanoseconds))
            copy.note(roundTrip: elapsed, of: binding.key, customer: located.customerID, number: located.number)
        case .unreachable: Self.silent.add()
        }
        let isUnreachable = verdict == .unreachable
        guard binding.isUnreachable != isUnreachable else { return }
        do {
            let registration = try await store.changeBindings(customer: located.customerID, number: located.number) { set in
                set.mark(binding.key, path: binding.path, isUnreachable: isUnreachable) ?? BindingSet.Change()
            }
            guard let registration else { return }
            await copy.save(registration, customer: located.customerID, number: located.number)
            if registration.hasNews { outbox.wake() }
        } catch { runtime.logger.debug("whether a phone is there is written down in the next round: \(error)") }
    }

    /// The OPTIONS to a binding; nil when its contact cannot be asked.
    static func request(to binding: Binding, domain: String, tag: String) -> RequestBuilder? {
        guard binding.isSIP, let uri = URI(binding.contact) else { return nil }
        var from = NameAddress(URI(host: domain))
        from.tag = tag
        var request = RequestBuilder(.options, uri: uri, from: from, to: NameAddress(uri), callID: "\(tag)@\(domain)", cseq: 1)
        request.routes = binding.path.compactMap { URI($0).map { NameAddress($0) } }
        request.add(.accept, "application/sdp")
        return request
    }

    private static func newTag() -> String { Hexadecimal.encode((0..<10).map { _ in UInt8.random(in: 0 ... .max) }) }
}
