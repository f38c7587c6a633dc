import Addresses
import Bus
import Bytes
import Cache
import Contracts
import Deadlines
import SIP
import ServiceKit

/// A SIP message that has arrived.
struct Parked: Sendable {
    let message: Message
    let source: SocketAddress
    /// Nil: as a datagram.
    let arrival: Transport?
}

/// The call servers among which the edges choose by a call's Call-ID, and since when they are the same.
struct Company {
    let instances: Set<String>
    let since: Instant
    private let identities: [UInt64]

    init(_ instances: Set<String>, since: Instant) {
        (self.instances, self.since) = (instances, since)
        identities = instances.sorted().map { StableHash.hash($0.utf8) }
    }

    /// Whether a new call with this Call-ID comes to that instance.
    func choose(_ instance: String, for callID: UInt64) -> Bool {
        Rendezvous.pick(key: callID, among: identities).map { identities[$0] } == StableHash.hash(instance.utf8)
    }
}

/// What arrives for a call that is not here: it waits until it is known whose the call is (DESIGN §6), and is handed to the owner, or
/// the owner is dead and the call is taken over first.
extension CallEngine {
    private static let capacity = 2_000
    /// A client that is on UDP has asked again by then, and others have been told of.
    private static let patience = Interval.seconds(4)
    private static let look = Interval.milliseconds(50)
    /// Timer B (RFC 3261 §17.1.1.2), and as long again for the death to be noticed.
    private static let repetitionTime = Interval.seconds(64)

    func deliver(_ arrived: Parked) {
        let message = arrived.message
        guard let callID = message.callID, legsByCallID[callID] == nil, !layer.recognises(message), mayBelongElsewhere(message),
            parkedCount < Self.capacity
        else { return take(arrived) }
        parkedCount += 1
        guard parked[callID] == nil else { parked[callID]?.append(arrived); return }
        parked[callID] = [arrived]
        Task { await self.settle(callID) }
    }

    private func take(_ arrived: Parked) {
        let time = Timeline.now()
        layer.receive(arrived.message, from: arrived.source, over: arrived.arrival, now: loop.now, into: &outbox)
        drain()
        trace(received: arrived.message, from: arrived.source, at: time)
    }

    /// An INVITE that begins a call is known elsewhere only when it is repeated past a server that died: who has been alone for longer than
    /// phones repeat it need not look; nor who has been chosen by its Call-ID among the same servers for so long.
    private func mayBelongElsewhere(_ message: Message) -> Bool {
        guard message.isRequest, message.to?.tag == nil else { return true }
        guard message.method == .invite || message.method == .cancel else { return false }
        guard loop.now - lastCompany < Self.repetitionTime else { return false }
        guard loop.now - company.since >= Self.repetitionTime, let callID = message.callIDHash else { return true }
        return !company.choose(runtime.instance, for: callID)
    }

    /// Looks for the call and sees to it that all that has come for it meanwhile goes where it belongs.
    private func settle(_ callID: String) async {
        let end = loop.now + Self.patience
        while let first = parked[callID]?.first {
            switch legsByCallID[callID] == nil ? await whereabouts(of: callID, until: end) : .here {
            case .elsewhere(let owner):
                guard await pass(first, to: owner) != .gone else { continue }
                Counters.passed.add()
            case .unclear:
                // What begins a call is not kept waiting: it is hardly ever anybody's.
                if await passToWhoHasIt(first) {
                    Counters.passed.add()
                } else if first.message.to?.tag != nil, loop.now < end {
                    try? await Task.sleep(for: .nanoseconds(Self.look.nanoseconds))
                    continue
                } else {
                    takeFirst(callID)
                }
            case .here:
                await untilGoneOn(callID)
                takeFirst(callID)
            // It is refused as what belongs to no dialog is.
            case .nobody: takeFirst(callID)
            }
            if parked[callID]?.isEmpty == false {
                parked[callID]?.removeFirst()
                parkedCount -= 1
            }
            if parked[callID]?.isEmpty == true { parked[callID] = nil }
        }
    }

    private func takeFirst(_ callID: String) { if let first = parked[callID]?.first { take(first) } }

    /// What was on its way is sent again before: it may be what this answers.
    private func untilGoneOn(_ callID: String) async {
        let end = loop.now + Self.patience
        while let id = legsByCallID[callID]?.leg, legs[id]?.batches.isEmpty == false, loop.now < end {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private enum Whereabouts {
        case here, nobody
        /// Redis is away, perhaps from here alone.
        case unclear
        case elsewhere(String)
    }

    private func whereabouts(of callID: String, until end: Instant) async -> Whereabouts {
        let found: (root: String, leg: String)
        do throws(CacheError) {
            guard let named = try await journal.find(callID: callID) else { return .nobody }
            found = named
        } catch {
            return .unclear
        }
        var former: String?
        while true {
            switch await adopt(found.root, found.leg, from: former) {
            case .adopted: return .here
            case .over, .unknown: return .nobody
            case .owned(let owner):
                guard owner != runtime.instance else { return .nobody }
                guard former != owner, await isGone(owner) else { return .elsewhere(owner) }
                former = owner
            }
            guard loop.now < end else { return .nobody }
        }
    }

    private enum Passing { case taken, refused, gone }

    /// Hands it to the owner; `gone` when there is nobody.
    private func pass(_ arrived: Parked, to owner: String) async -> Passing {
        let command = PassMessage(
            message: arrived.message.bytes, source: arrived.source.description, isOverStream: arrived.arrival?.isReliable == true)
        let end = loop.now + Self.patience
        while loop.now < end {
            do throws(RPCError) {
                _ = try await bus.call(command, to: .instance(owner), context: CallContext(deadline: .milliseconds(400)))
                return .taken
            } catch {
                // One that has just taken it over knows it in a moment.
                if error.code != .notFound, await isGone(owner) { return .gone }
            }
            try? await Task.sleep(for: .nanoseconds(Self.look.nanoseconds))
        }
        return .refused
    }

    /// Asks all who may have it.
    private func passToWhoHasIt(_ arrived: Parked) async -> Bool {
        let command = PassMessage(
            message: arrived.message.bytes, source: arrived.source.description, isOverStream: arrived.arrival?.isReliable == true)
        for other in runtime.fleet.living(.callServer).map(\.instance) where other != runtime.instance {
            do throws(RPCError) {
                _ = try await bus.call(command, to: .instance(other), context: CallContext(deadline: .milliseconds(400)))
                return true
            } catch {
                // Not that one.
            }
        }
        return false
    }

    /// Another instance says that this belongs here.
    func takePassed(_ command: PassMessage) throws(RPCError) -> Done {
        guard !isFrozen else { throw RPCError(.unavailable, "whose calls these are is being found out") }
        guard let source = SocketAddress(command.source), let message = try? Message.parse(command.message) else {
            throw RPCError(.invalid, "no SIP message, or no address")
        }
        guard let callID = message.callID, legsByCallID[callID] != nil || layer.recognises(message) else {
            throw RPCError(.notFound, "no such call")
        }
        take(Parked(message: message, source: source, arrival: command.isOverStream ? .tcp : nil))
        return Done()
    }
}
