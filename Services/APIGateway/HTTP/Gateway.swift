import Bus
import Contracts
import Database
import Deadlines
import Flow
import Logging
import ServiceKit
import Synchronization
import Threads

/// What every route works with: the store, the bus, and who may do what how often.
final class Gateway: Sendable {
    let store: AccountStore
    let keys: KeyRing
    let feed: EventFeed
    let reconciliation: Reconciliation
    let table: RouteTable
    let openAPI: [UInt8]
    let largestBody: Int
    /// Seconds that an answer is held at most for what is not known yet.
    let longestWait: Int
    let logger: Logger
    private let bus: Bus
    let rates: Mutex<TokenBuckets>
    /// Per address: how often somebody may be wrong about a key.
    let strangers = Mutex(TokenBuckets(rate: 5, burst: 20))

    struct Limits: Sendable {
        var bodyBytes: Int
        var waitSeconds: Int
        var requestsPerSecond: Int
        var burst: Int
    }

    init(
        store: AccountStore, keys: KeyRing, feed: EventFeed, reconciliation: Reconciliation, bus: Bus, table: RouteTable,
        limits: Limits, logger: Logger
    ) {
        (self.store, self.keys, self.feed, self.reconciliation) = (store, keys, feed, reconciliation)
        (self.bus, self.table, self.logger) = (bus, table, logger)
        (largestBody, longestWait) = (limits.bodyBytes, limits.waitSeconds)
        openAPI = OpenAPIDocument.make(of: table, version: Version.current).json
        rates = Mutex(TokenBuckets(rate: limits.requestsPerSecond, burst: limits.burst))
    }

    /// How long an answer is waited for, where nothing says that it takes longer.
    static let usual = Interval.seconds(3)
    /// How long a question may go without an answer before it is asked again.
    private static let patience = Interval.seconds(1)

    func timestamp() -> Timestamp { Timestamp(milliseconds: WallClock.milliseconds()) }

    func newSeed() -> IdentifierSeed {
        IdentifierSeed(milliseconds: WallClock.milliseconds(), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
    }

    /// Has another service perform a command. `part` tells the commands of one request apart, so that each has an idempotency
    /// key of its own; nil for a question, whose answer may change.
    ///
    /// What only reads and is not answered soon is asked once more: the first may lie with an instance that stands still, which the
    /// broker takes for alive until its heartbeats are missed, and the next is another's turn.
    func ask<C: Command>(
        _ command: C, for request: APIRequest, part: Int? = 0, within limit: Interval = Gateway.usual
    ) async throws(ProblemDocument) -> C.Reply {
        var context = CallContext(customer: request.customerID, traceparent: request.traceparent, deadline: limit)
        if let key = request.idempotencyKey, let part { context.idempotencyKey = "\(request.owner)/\(key)/\(part)" }
        do throws(RPCError) {
            guard request.method == .get, limit <= Self.usual else { return try await bus.call(command, context: context) }
            context.deadline = Self.patience
            do throws(RPCError) { return try await bus.call(command, context: context) } catch {
                guard error.code == .timeout else { throw error }
                context.deadline = limit
                return try await bus.call(command, context: context)
            }
        } catch {
            if error.code == .failed { logger.error("\(C.name) failed: \(error.detail)") }
            throw ProblemDocument(error, from: C.service)
        }
    }

    /// A flow that a body names must exist and be the customer's.
    func requireFlow(_ field: String, of request: APIRequest) async throws(ProblemDocument) {
        guard let id = request.fields.optionalText(field) else { return }
        do {
            _ = try await ask(GetFlow(customerID: request.customer, id: id), for: request, part: nil)
        } catch {
            guard error.status == 404 else { throw error }
            throw ProblemDocument.invalid("/" + field, "unknown_flow", "there is no flow with this id")
        }
    }

    /// What a call is to run: `flow_id` or `actions`, one of the two.
    func program(of request: APIRequest) async throws -> (flowID: String?, actions: [Action]?) {
        let flowID = request.fields.optionalText("flow_id")
        let actions = try request.fields["actions"].map { try ActionList.read($0).get() }
        guard (flowID == nil) != (actions == nil) else {
            throw ProblemDocument.invalid(
                actions == nil ? "/flow_id" : "/actions", actions == nil ? "required" : "excludes", "give either flow_id or actions")
        }
        try await requireFlow("flow_id", of: request)
        return (flowID, actions)
    }

    /// A page of one of our own collections, newest first: one more than wanted is read, to know whether there is a next page.
    func page<Element: Codable & Sendable>(
        _ request: APIRequest, id: KeyPath<Element, String>, read: (_ limit: Int, _ before: String?) async throws -> [Element]
    ) async throws -> Page<Element> {
        var before: String?
        if let text = request.page.cursor {
            guard let cursor = PageCursor(text), cursor.kind == .before else {
                throw ProblemDocument.invalidQuery([
                    .init(parameter: "cursor", code: "invalid_cursor", detail: "is no cursor of this collection")
                ])
            }
            before = cursor.value
        }
        let limit = request.page.limit
        let found = try await read(limit + 1, before)
        let shown = Array(found.prefix(limit))
        return Page(
            data: shown, nextCursor: found.count > limit ? shown.last.map { PageCursor(.before, $0[keyPath: id]).text } : nil)
    }
}
