public import Deadlines

/// Who owns a live thing, and its last state, guarded by an epoch (RELIABILITY §4.2).
///
/// A call, room or relay session has one owner, which holds a lease and renews it. Every change of owner raises the epoch;
/// every write compares it inside Redis, so a process that was thought dead and is not cannot overwrite its successor.
/// When Redis comes back empty, the first write of the living owner brings lease, epoch and state back.
public struct Snapshots: Sendable {
    public struct Claim: Sendable, Equatable {
        /// To be carried by every write and every command about the thing.
        public let epoch: UInt64
        /// What the owner before saved; nil when there is nothing.
        public let state: [UInt8]?
    }

    public enum Acquisition: Sendable, Equatable {
        case acquired(Claim)
        /// A living owner has it.
        case owned(by: String, epoch: UInt64)
    }

    public enum Outcome: Sendable, Equatable {
        case done
        /// Another has taken the thing over: stop acting for it.
        case lost
    }

    public static let leaseLength = Interval.seconds(3)
    /// Renew the leases this often.
    public static let renewalPause = Interval.seconds(1)

    private let cache: Cache
    private let stateLength: Interval

    /// `stateLength`: how long a state is kept after its last write or renewal.
    public init(cache: Cache, stateLength: Interval = .seconds(86_400)) { (self.cache, self.stateLength) = (cache, stateLength) }

    /// Takes the lease unless another holds it, raising the epoch above the last known one; `seen` is the highest epoch the
    /// caller knows of, for a Redis that has forgotten it.
    public func acquire(
        _ kind: String, _ id: String, owner: String, seen: UInt64 = 0, takingOver: Bool = false
    ) async throws(CacheError) -> Acquisition {
        let reply = try await cache.script(
            Self.acquireScript, keys: keys(kind, id),
            arguments: [
                CacheArgument(owner), CacheArgument(Self.lease), CacheArgument(keep), CacheArgument(seen),
                takingOver ? "1" : "0", CacheArgument(id),
            ])
        guard let fields = reply.array, fields.count == 4, let outcome = fields[0].integer, let number = fields[1].integer,
            let epoch = UInt64(exactly: number)
        else { throw .unexpectedReply("acquire") }
        if outcome == 1 { return .acquired(Claim(epoch: epoch, state: fields[3].bytes)) }
        return .owned(by: fields[2].text ?? "", epoch: epoch)
    }

    /// Writes the state, renewing the lease.
    public func save(
        _ kind: String, _ id: String, owner: String, epoch: UInt64, _ state: [UInt8]
    ) async throws(CacheError) -> Outcome {
        try Self.outcome(await cache.script(Self.saveScript, keys: keys(kind, id), arguments: saving(id, owner, epoch, state)))
    }

    /// The same for owners that live on a thread of their own; called on the cache's thread.
    public func save(
        _ kind: String, _ id: String, owner: String, epoch: UInt64, _ state: [UInt8],
        completion: @escaping @Sendable (Result<Outcome, CacheError>) -> Void
    ) {
        cache.script(Self.saveScript, keys: keys(kind, id), arguments: saving(id, owner, epoch, state)) { result in
            completion(result.flatMap { reply in Result { () throws(CacheError) in try Self.outcome(reply) } })
        }
    }

    /// The last state, whoever owns it.
    public func load(_ kind: String, _ id: String) async throws(CacheError) -> [UInt8]? {
        try await cache.command(["HGET", CacheArgument(keys(kind, id)[1]), "state"]).bytes
    }

    /// Who owns the thing now; nil when nobody does.
    public func owner(of kind: String, _ id: String) async throws(CacheError) -> String? {
        try await cache.command(["HGET", CacheArgument(keys(kind, id)[0]), "owner"]).text
    }

    /// Renews the leases of all things given; those that are lost to another.
    public func renew(
        _ kind: String, owner: String, _ claims: [(id: String, epoch: UInt64)]
    ) async throws(CacheError) -> [String] {
        var lost: [String] = []
        for start in stride(from: 0, to: claims.count, by: 200) {
            let chunk = claims[start..<min(start + 200, claims.count)]
            let reply = try await cache.script(
                Self.renewScript, keys: chunk.flatMap { keys(kind, $0.id).prefix(2) },
                arguments: [CacheArgument(owner), CacheArgument(Self.lease), CacheArgument(keep)]
                    + chunk.map { CacheArgument($0.epoch) })
            guard let outcomes = reply.array, outcomes.count == chunk.count else { throw .unexpectedReply("renew") }
            lost += zip(chunk, outcomes).filter { $1.integer == 0 }.map(\.0.id)
        }
        return lost
    }

    /// Ends the thing: lease and state go, unless another has taken it over.
    public func release(_ kind: String, _ id: String, epoch: UInt64) async throws(CacheError) -> Outcome {
        try Self.outcome(
            await cache.script(Self.releaseScript, keys: keys(kind, id), arguments: [CacheArgument(epoch), "0", CacheArgument(id)]))
    }

    /// Gives the lease up and keeps the state, for a successor to take at once.
    public func yield(_ kind: String, _ id: String, epoch: UInt64) async throws(CacheError) -> Outcome {
        try Self.outcome(
            await cache.script(Self.releaseScript, keys: keys(kind, id), arguments: [CacheArgument(epoch), "1", CacheArgument(id)]))
    }

    /// The ids of all things of a kind that have a state, owned or not.
    public func ids(of kind: String) async throws(CacheError) -> [String] {
        try await cache.command(["SMEMBERS", CacheArgument(index(kind))]).array?.compactMap(\.text) ?? []
    }

    /// The things of a kind nobody holds a lease of any more: for the scan that takes a dead owner's work over.
    public func orphans(of kind: String) async throws(CacheError) -> [String] {
        var orphans: [String] = []
        for id in try await ids(of: kind) where try await owner(of: kind, id) == nil { orphans.append(id) }
        return orphans
    }

    private static let lease = Cache.milliseconds(leaseLength)
    private var keep: Int64 { Cache.milliseconds(stateLength) }

    private func index(_ kind: String) -> String { "tandem:\(kind):ids" }

    /// Lease, state and index of one thing. The id comes last, so no id can spell another's key.
    private func keys(_ kind: String, _ id: String) -> [String] {
        ["tandem:\(kind):lease:\(id)", "tandem:\(kind):state:\(id)", index(kind)]
    }

    private func saving(_ id: String, _ owner: String, _ epoch: UInt64, _ state: [UInt8]) -> [CacheArgument] {
        [
            CacheArgument(owner), CacheArgument(Self.lease), CacheArgument(keep), CacheArgument(epoch), CacheArgument(state),
            CacheArgument(id),
        ]
    }

    private static func outcome(_ reply: CacheReply) throws(CacheError) -> Outcome {
        switch reply.integer {
        case 1: .done
        case 0: .lost
        default: throw .unexpectedReply("not 0 or 1")
        }
    }
}
