import Cache
import Contracts
import Deadlines
import FoundationEssentials
import JSONCoding
import ServiceKit
import Threads

/// What another instance has written down of its calls, for whoever goes on with them.
extension Journal {
    enum Succession {
        /// It is ours now, at an epoch of its own.
        case taken(Leg)
        case owned(by: String)
        case over, unknown
    }

    /// The leg that messages with this Call-ID belong to, and the first leg of its call.
    func find(callID: String) async throws(CacheError) -> (root: String, leg: String)? {
        guard let text = try await snapshots.find(Self.kind, named: callID) else { return nil }
        let parts = text.split(separator: " ")
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

    /// Makes this instance the owner of a leg.
    func succeed(_ id: String, from former: String?) async -> Succession {
        do throws(CacheError) {
            let found = try await snapshots.succeed(Self.kind, id, owner: runtime.instance, former: former)
            switch found.acquisition {
            case .owned(let owner, _): return .owned(by: owner)
            case nil: return found.isOver ? .over : .unknown
            case .acquired(let claim):
                guard let state = claim.state, var leg = Self.leg(of: state) else {
                    logger.error("the snapshot of a call cannot be read: it is given up", metadata: ["call": "\(id)"])
                    _ = try await snapshots.release(Self.kind, id, epoch: claim.epoch)
                    return .over
                }
                leg.epoch = claim.epoch
                took(id, claim.epoch)
                return .taken(leg)
            }
        } catch {
            // Nobody knows what there is: nothing is begun in its place.
            logger.warning("a call cannot be taken over: \(error)", metadata: ["call": "\(id)"])
            return .over
        }
    }

    /// Writes a leg down for the last time here and gives its lease up: whoever asks first has it.
    func handOver(_ leg: Leg) async {
        let (snapshots, id) = (self.snapshots, leg.record.id)
        let isOurs = await withCheckedContinuation { continuation in
            snapshots.save(Self.kind, id, owner: runtime.instance, epoch: leg.epoch, Self.state(of: leg)) { result in
                // Not written now, it has been before.
                if case .success(.lost) = result { continuation.resume(returning: false) } else { continuation.resume(returning: true) }
            }
        }
        drop(id)
        guard isOurs else { return }
        do { _ = try await snapshots.yield(Self.kind, id, epoch: leg.epoch) } catch {
            logger.warning("the lease of a call cannot be given up: it ends by itself", metadata: ["call": "\(id)"])
        }
    }

    /// Legs that `former` had, or nobody that lives.
    func orphans(from former: String) async -> [(leg: Leg, owner: String?)] {
        do throws(CacheError) {
            return try await snapshots.orphans(of: Self.kind, from: former, besides: holds).compactMap { orphan in
                // Without a lease, but with an owner that lives: it is cut off from Redis, and goes on, or the call is over and not written yet.
                if let owner = orphan.owner, owner != former, owner != runtime.instance, runtime.fleet.isAlive(.callServer, instance: owner) { return nil }
                return Self.leg(of: orphan.state).map { ($0, orphan.owner) }
            }
        } catch {
            logger.debug("orphans cannot be looked for: \(error)")
            return []
        }
    }

    /// Those that another instance owns now; nil when Redis cannot be asked.
    func lostLeases() async -> [String]? {
        do { return try await renew() } catch {
            logger.debug("whose the calls are cannot be found out: \(error)")
            return nil
        }
    }

    /// Ends this process when another of its name has come, and has the name's queue: that one has its calls, or is given them, and here is nobody
    /// who could be told of anything. Until cancelled.
    func giveWay() async {
        while !Task.isCancelled {
            if runtime.bus.isNameTaken, let last = try? await Snapshots.lastLife(of: runtime.instance, Self.kind, in: runtime.cache), last > life {
                logger.error("another process is \(runtime.instance) by now: this one ends")
                ServiceProgram.leave(1)
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private static func leg(of state: [UInt8]) -> Leg? {
        guard let snapshot = try? JSONText.decode(LegSnapshot.self, from: state) else { return nil }
        return snapshot.restored(at: MonotonicClock.now(), time: WallClock.milliseconds())
    }
}
