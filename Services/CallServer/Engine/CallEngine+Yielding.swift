import Bus
import Contracts
import Deadlines
import SIP
import ServiceKit
import Telemetry

/// A request of a phone's may name a dialog (Replaces, RFC 3891; Join, RFC 3911) whose call another instance owns. Then that call comes here
/// with all its legs, as it would from an owner that died (RELIABILITY §4.4), only that its owner gives it away; and all that follows
/// happens in one place.
extension CallEngine {
    /// Who took a call, and until when nobody else is to.
    struct Yielded {
        let heir: String
        let until: Instant
    }

    /// As long as a message waits for the instance that has its call.
    private static let yieldTime = Interval.seconds(4)
    private static let quietTime = Interval.milliseconds(5)
    private static let mostWaits = 20
    private static let hesitation = Interval.milliseconds(250)
    private static let given = Counter("tandem_call_yielded_total", "call legs given to another call server, where a request named their dialog")

    /// Or nowhere.
    func isElsewhere(_ named: DialogReference) -> Bool { legsByCallID[named.callID] == nil }

    // MARK: The instance that wants the call

    /// Returns when the call of that dialog is here, or will not be.
    func bring(_ named: DialogReference, customer: String) async {
        // Without Redis nobody can say whose it is: for who asks it is not there.
        guard let found = try? await journal.find(callID: named.callID) else { return }
        await bring(found.root, found.leg, customer)
    }

    func bring(_ id: String, _ call: Call) async { await bring(call.parentCallID ?? id, id, call.customerID) }

    private func bring(_ root: String, _ id: String, _ customer: String) async {
        var former: String?
        let end = loop.now + Self.yieldTime
        repeat {
            guard case .owned(let owner) = await adopt(root, id, from: former), owner != runtime.instance else { return }
            let command = YieldCall(customerID: customer, id: id, heir: runtime.instance)
            do throws(RPCError) {
                _ = try await bus.call(command, to: .instance(owner), context: CallContext(customer: customer))
                (yielded[root], yielded[id]) = (nil, nil)
            } catch {
                guard error.code != .notFound else { return }
                // That it is gone may show only in a moment: until then its queue takes what nobody reads.
                if await isGone(owner) { former = owner } else { try? await Task.sleep(for: .nanoseconds(Self.hesitation.nanoseconds)) }
            }
        } while loop.now < end
    }

    // MARK: The instance that has it

    /// Gives the call away: writes it down, says no more of it, and leaves it to the heir.
    func yield(_ command: YieldCall) async throws(RPCError) -> Done {
        // What phones are to see of it waits for snapshots that are on their way.
        for _ in 0..<Self.mostWaits {
            guard family(of: command).contains(where: { legs[$0]?.isQuiet == false }) else { break }
            try? await Task.sleep(for: .nanoseconds(Self.quietTime.nanoseconds))
        }
        let family = family(of: command)
        guard !family.isEmpty, !isFrozen else { throw RPCError(.notFound, "no such call") }
        yielded = yielded.filter { $0.value.until > loop.now }
        let given = family.compactMap { id -> Leg? in
            guard let leg = legs[id]?.leg else { return nil }
            yielded[id] = Yielded(heir: command.heir, until: loop.now + Self.yieldTime)
            remove(id, isOurs: false)
            return leg
        }
        // Events of a call come in order.
        await journal.writer.settle(within: Self.yieldTime)
        for leg in given { await journal.handOver(leg) }
        Self.given.add(UInt64(given.count))
        logger.notice("gave a call away", metadata: ["call": "\(command.id)", "heir": "\(command.heir)"])
        return Done()
    }

    /// The legs of a call of that customer's; none when it is not here.
    private func family(of command: YieldCall) -> [String] {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { return [] }
        let root = leg.record.parentCallID ?? command.id
        return legs.values.filter { $0.leg.record.id == root || $0.leg.record.parentCallID == root }.map(\.leg.record.id)
    }

    /// Who has a call that was given away a moment ago.
    func heir(of id: String) -> String? { yielded[id].flatMap { $0.until > loop.now ? $0.heir : nil } }
}

extension CallEngine.Entry {
    /// Nothing waits for a snapshot, and no REFER for its answer.
    fileprivate var isQuiet: Bool { batches.isEmpty && whenSaved.isEmpty && untried.isEmpty && refer == nil }
}
