import Bus
import Contracts
import Deadlines
import Flow
import Threads

/// Whose a dialled number is, and where its phones are.
extension CallEngine {
    /// A dialled number is an extension or a conference of the caller's customer.
    func resolve(_ leg: Leg, number: String) {
        let customer = leg.record.customerID
        let id = leg.record.id
        let context = CallContext(customer: customer)
        let command = ResolveExtension(customerID: customer, number: number, listsBindings: true)
        let traced = trace(command, for: leg)
        let (domain, longestRing) = (leg.sip.domain, Int(leg.limits.ring.seconds) * 1_000)
        /// Any thread.
        @Sendable func answer(_ reply: ResolveExtension.Reply, at time: Instant, _ actions: [Action]) {
            loop.post {
                self.assumeIsolated { engine in
                    engine.legs[id]?.reachable = reply.bindings.map {
                        Reachable(number: number, bindings: $0, doNotDisturb: reply.found.doNotDisturb == true, at: time)
                    }
                    engine.handle(id, .resolved(flowID: reply.found.flowID, defaultActions: actions))
                }
            }
        }
        ask(command, context) { [loop] result in
            traced?.ended(result)
            switch result {
            case .success(let reply):
                let (found, time) = (reply.found, MonotonicClock.now())
                guard let forwarding = found.forwarding, found.flowID == nil else {
                    var connect = Connect()
                    connect.destinations = [Address(kind: .extension, target: number)]
                    return answer(reply, at: time, [Action(id: "connect", .connect(connect))])
                }
                let plan = DialPlan(number, forwarding, domain: domain, longestRing: longestRing)
                Task { answer(reply, at: time, await self.completed(plan, since: time, for: context).actions) }
            case .failure(let error) where error.code == .notFound:
                self.ask(ResolveConference(customerID: customer, number: number), context) { result in
                    let event: LegEvent
                    switch result {
                    case .success(let conference):
                        var join = ConferenceJoin()
                        join.conferenceID = conference.id
                        event = .resolved(flowID: nil, defaultActions: [Action(id: "conference", .conferenceJoin(join))])
                    case .failure(let error):
                        event = .unresolved(error)
                    }
                    loop.post { self.assumeIsolated { $0.handle(id, event) } }
                }
            case .failure(let error):
                loop.post { self.assumeIsolated { $0.handle(id, .unresolved(error)) } }
            }
        }
    }

    /// So long a caller waits for what lies beyond the phones it calls.
    static let lookAhead = Interval.milliseconds(500)

    /// The plan with what the numbers are that it may lead to. Where nobody can be asked just now it leads no further.
    private nonisolated func completed(_ plan: DialPlan, since time: Instant, for context: CallContext) async -> DialPlan {
        var (plan, context) = (plan, context)
        // Nobody is asked twice in that time.
        context.deadline = Self.lookAhead
        while MonotonicClock.now() - time < Self.lookAhead, let number = plan.unknown.first, let found = await meaning(of: number, for: context) { plan.note(number, is: found) }
        return plan
    }

    nonisolated func meaning(of number: String, for context: CallContext) async -> DialPlan.Found? {
        let customer = context.customer ?? ""
        do throws(RPCError) {
            let found = try await ask(ResolveExtension(customerID: customer, number: number), context).found
            return found.flowID.map { .flow($0) } ?? .extension(found.forwarding)
        } catch where error.code == .notFound {
            do throws(RPCError) {
                return .conference(try await ask(ResolveConference(customerID: customer, number: number), context).id)
            } catch { return error.code == .notFound ? .nobody : nil }
        } catch { return nil }
    }

    private nonisolated func ask<C: Command>(_ command: C, _ context: CallContext) async throws(RPCError) -> C.Reply {
        try await withCheckedContinuation { continuation in ask(command, context) { continuation.resume(returning: $0) } }.get()
    }

    /// Of the number that the caller dialled it was told a moment ago, with whose number it is.
    func findBindings(_ leg: Leg, _ number: String) {
        let parent = leg.record.parentCallID.flatMap { legs[$0] }
        if let known = parent?.reachable, known.number == number, parent?.leg.record.customerID == leg.record.customerID,
            loop.now - known.at < Self.freshness
        {
            parent?.reachable = nil
            return handle(leg.record.id, known.doNotDisturb ? .notToBeDisturbed : .found(known.bindings))
        }
        ask(ListBindings(customerID: leg.record.customerID, number: number), for: leg, "bindings/\(number)") {
            $0.doNotDisturb == true ? .notToBeDisturbed : .found($0.bindings)
        } failed: { .notFound($0) }
    }

    /// Why another call of the customer's has ended.
    func findCause(of call: String, for leg: Leg) {
        let (id, customer) = (leg.record.id, leg.record.customerID)
        if let other = legs[call]?.leg, other.record.customerID == customer { return handle(id, .causeCopied(other.record.hangupCause)) }
        ask(GetCall(customerID: customer, id: call), for: leg, "cause/\(call)") { .causeCopied($0.hangupCause) } failed: { _ in .causeCopied(nil) }
    }

    /// So long a phone is taken to be where it was.
    private static let freshness = Interval.seconds(1)
}
