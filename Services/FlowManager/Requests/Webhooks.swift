import Contracts
import Flow
import ServiceKit
import Synchronization
import Telemetry

/// Delivers the webhooks that nobody waits for, always under the same id: at once by the instance that took the step, else, and whenever an
/// attempt fails or its instance dies before it has begun, by whoever claims the row next. One whose instance dies in the middle of an attempt is
/// not sent again (`BegunWebhooks`).
final class Webhooks: Sendable {
    private static let taken = Counter("tandem_flow_webhooks_delivered_total", "Webhooks of flows that were taken.")
    private static let dead = Counter("tandem_flow_webhooks_dead_total", "Webhooks of flows that were given up.")
    private static let waiting = Gauge("tandem_flow_webhooks_waiting", "Webhooks of flows that have not been taken yet.")
    private static let poll = Duration.milliseconds(500)
    /// Who has only just started has not heard of everybody yet, and takes nobody for dead.
    private static let acquaintance = Duration.seconds(3)
    private static let sweepsEach = 60
    private static let longestLease = 40.0
    private static let claimedAtOnce = 50

    struct Terms: Sendable {
        /// At once, of all customers and of one.
        var most: Int
        var mostOfOne: Int
        /// Milliseconds.
        var patience: Int
        var keptDays: Int
    }

    private let store: Store
    private let sender: RequestSender
    private let runtime: Runtime
    private let timeline: Timeline
    private let terms: Terms
    private let begun: BegunWebhooks
    /// How many of each customer's.
    private let underWay = Mutex<[String: Int]>([:])
    private let startedAt = ContinuousClock.now

    init(store: Store, sender: RequestSender, runtime: Runtime, timeline: Timeline, terms: Terms) {
        (self.store, self.sender, self.runtime, self.timeline, self.terms) = (store, sender, runtime, timeline, terms)
        begun = BegunWebhooks(cache: runtime.cache, longest: terms.patience)
    }

    private var name: String { Self.name(runtime.instance, runtime.incarnation) }
    private static func name(_ instance: String, _ incarnation: String) -> String { "\(instance)/\(incarnation)" }
    private var room: Int { terms.most - underWay.withLock { $0.values.reduce(0, +) } }

    /// Whoever's servers are slow waits for them alone.
    private var busy: [String] { underWay.withLock { all in all.filter { $0.value >= terms.mostOfOne }.map(\.key) } }

    /// The rows for a step that sends these; ours to deliver while there is room.
    func rows(_ requests: [FlowRequest], of record: RunRecord) -> Store.NewWebhooks {
        guard !requests.isEmpty else { return Store.NewWebhooks() }
        return Store.NewWebhooks(
            list: requests.map {
                Webhook(
                    id: "msg_\(record.id)_\($0.number)", customerID: record.customerID, runID: record.id, referenceID: record.referenceID, request: $0)
            }, claimedBy: room >= requests.count && !busy.contains(record.customerID) ? name : nil)
    }

    /// Once the step is stored.
    func deliver(_ new: Store.NewWebhooks) {
        guard new.claimedBy != nil else { return }
        for webhook in new.list { begin(webhook) }
    }

    private func begin(_ webhook: Webhook) {
        let customer = webhook.customerID
        underWay.withLock { $0[customer, default: 0] += 1 }
        Task {
            await attempt(webhook)
            underWay.withLock { all in all[customer] = all[customer].flatMap { $0 > 1 ? $0 - 1 : nil } }
        }
    }

    private func attempt(_ webhook: Webhook) async {
        switch await begun.begin(webhook) {
        case .ours: break
        case .interrupted: return await settle(webhook, .dead("interrupted"))
        case .taken: return await settle(webhook, .taken)
        }
        let begin = Timeline.now()
        var once = webhook.request
        once.retries = 0
        var answer = await sender.send(once, id: webhook.id, customerID: webhook.customerID)
        answer.attempts = webhook.attempts
        timeline.trace(webhook.request, answer, since: begin, run: webhook.runID, reference: webhook.referenceID, customer: webhook.customerID)
        let end = webhook.end(after: answer, patience: terms.patience, spread: .random(in: 0...1))
        begun.note(end, of: webhook)
        await settle(webhook, end)
    }

    private func settle(_ webhook: Webhook, _ end: Webhook.End) async {
        do {
            guard try await store.settle(webhook, end) else { return }
        } catch {
            // It is due again when the claim is over.
            runtime.logger.warning("what came of a webhook could not be stored", metadata: ["webhook": "\(webhook.id)", "error": "\(error)"])
            return
        }
        if case .again = end { return }
        begun.forget(webhook)
        switch end {
        case .taken: Self.taken.add()
        case .again: break
        case .dead(let why):
            Self.dead.add()
            runtime.logger.notice("a webhook of a flow was given up", metadata: ["webhook": "\(webhook.id)", "why": "\(why)"])
        }
    }

    /// Claims what is due until cancelled.
    func run() async {
        var rounds = 0
        while !Task.isCancelled {
            do {
                try await claim()
                if rounds % Self.sweepsEach == 0 { Self.waiting.set(try await store.sweepWebhooks(keptDays: terms.keptDays)) }
            } catch {
                runtime.logger.debug("webhooks wait: \(error)")
            }
            rounds += 1
            do { try await Task.sleep(for: Self.poll) } catch { return }
        }
    }

    private func claim() async throws {
        while room > 0 {
            let isAcquainted = startedAt.duration(to: .now) > Self.acquaintance
            let living = runtime.fleet.living(.flowManager).map { Self.name($0.instance, $0.incarnation) } + [name]
            let most = min(room, Self.claimedAtOnce)
            let claimed = try await store.claimWebhooks(
                most: most, for: name, living: isAcquainted ? living : nil, besides: busy, lease: Self.longestLease)
            for webhook in claimed { begin(webhook) }
            if claimed.count < most { return }
        }
    }
}
