public import Deadlines

/// Who owns a live thing, and its last state, guarded by an epoch (RELIABILITY §4.2).
///
/// A call, room or relay session has one owner, which holds a lease and renews it. Every change of owner raises the epoch;
/// every write compares it inside Redis, so a process that was thought dead and is not cannot overwrite its successor.
/// When Redis comes back empty, the first write of the living owner brings lease, epoch and state back.
///
/// A name may have two processes: one that was given up, and is alive all the same, and the one that was started in its place. Where
/// owners have lives (`newLife`), the later one may have what an earlier one has, and never the other way round.
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

    /// Renew the leases this often.
    public static let renewalPause = Interval.seconds(1)

    let cache: Cache
    private let leaseLength: Interval
    private let stateLength: Interval
    let life: Int64

    /// `leaseLength`: how long an owner that does not renew is one. `stateLength`: how long a state is kept after its last write or
    /// renewal. `life`: which of those that bear the owner's name it is; zero: whoever bears the name is the owner.
    public init(cache: Cache, leaseLength: Interval = .seconds(3), stateLength: Interval = .seconds(86_400), life: Int64 = 0) {
        (self.cache, self.leaseLength, self.stateLength, self.life) = (cache, leaseLength, stateLength, life)
    }

    /// Counts the lives of a name: higher than any before as long as Redis remembers, whatever the clock does; `time` (milliseconds) is
    /// for a Redis that has forgotten.
    public static func newLife(of owner: String, _ kind: String, time: Int64, in cache: Cache) async throws(CacheError) -> Int64 {
        let reply = try await cache.script(
            lifeScript, keys: ["tandem:\(kind):life:\(owner)"], arguments: [CacheArgument(time), CacheArgument(Cache.milliseconds(.seconds(86_400 * 30)))])
        guard let life = reply.integer else { throw .unexpectedReply("life") }
        return life
    }

    /// The last life that was counted; nil where Redis does not remember.
    public static func lastLife(of owner: String, _ kind: String, in cache: Cache) async throws(CacheError) -> Int64? {
        try await cache.command(["GET", CacheArgument("tandem:\(kind):life:\(owner)")]).text.flatMap { Int64($0) }
    }

    /// Takes the lease unless another holds it, raising the epoch above the last known one; `seen` is the highest epoch the
    /// caller knows of, for a Redis that has forgotten it.
    public func acquire(
        _ kind: String, _ id: String, owner: String, seen: UInt64 = 0, takingOver: Bool = false
    ) async throws(CacheError) -> Acquisition {
        let reply = try await cache.script(
            Self.acquireScript, keys: keys(kind, id),
            arguments: [
                CacheArgument(owner), CacheArgument(lease), CacheArgument(keep), CacheArgument(seen),
                takingOver ? "1" : "0", CacheArgument(id), CacheArgument(life),
            ])
        guard let fields = reply.array, fields.count == 4, let outcome = fields[0].integer, let number = fields[1].integer,
            let epoch = UInt64(exactly: number)
        else { throw .unexpectedReply("acquire") }
        if outcome == 1 { return .acquired(Claim(epoch: epoch, state: fields[3].bytes)) }
        return .owned(by: fields[2].text ?? "", epoch: epoch)
    }

    /// Takes a thing that has a state when its last owner was nobody, or the caller itself in a former life, or `former`, who is gone: of
    /// many that try one succeeds. Nil: there is nothing to take; `isOver` when it has ended a short while ago.
    public func succeed(
        _ kind: String, _ id: String, owner: String, former: String?
    ) async throws(CacheError) -> (acquisition: Acquisition?, isOver: Bool) {
        let reply = try await cache.script(
            Self.succeedScript, keys: keys(kind, id),
            arguments: [
                CacheArgument(owner), CacheArgument(lease), CacheArgument(keep), CacheArgument(former ?? owner), CacheArgument(id),
                CacheArgument(life),
            ])
        guard let fields = reply.array, fields.count == 4, let outcome = fields[0].integer, let number = fields[1].integer,
            let epoch = UInt64(exactly: number)
        else { throw .unexpectedReply("succeed") }
        switch outcome {
        case 1: return (.acquired(Claim(epoch: epoch, state: fields[3].bytes)), false)
        case 0: return (.owned(by: fields[2].text ?? "", epoch: epoch), false)
        default: return (nil, number > 0)
        }
    }

    /// What a thing that may be taken over looks like.
    public struct Orphan: Sendable {
        public let id: String
        /// Who wrote it last; nil when it is not known.
        public let owner: String?
        public let state: [UInt8]
    }

    /// Those of a kind that belong to `former`, or whose lease has ended, but those that the caller knows to be its own.
    public func orphans(of kind: String, from former: String, besides isOurs: (String) -> Bool = { _ in false }) async throws(CacheError) -> [Orphan] {
        let ids = try await ids(of: kind).filter { !isOurs($0) }
        var orphans: [Orphan] = []
        for start in stride(from: 0, to: ids.count, by: 200) {
            let chunk = ids[start..<min(start + 200, ids.count)]
            let reply = try await cache.script(
                Self.examineScript, keys: chunk.flatMap { keys(kind, $0).prefix(2) }, arguments: [CacheArgument(former)])
            guard let fields = reply.array, fields.count == chunk.count * 2 else { throw .unexpectedReply("examine") }
            for (place, id) in chunk.enumerated() {
                guard let state = fields[place * 2 + 1].bytes else { continue }
                orphans.append(Orphan(id: id, owner: fields[place * 2].text, state: state))
            }
        }
        return orphans
    }

    /// Other names of things, each of which leads to what was said of it.
    public func find(_ kind: String, named name: String) async throws(CacheError) -> String? {
        try await cache.command(["GET", CacheArgument(Self.nameKey(kind, name))]).text
    }

    public func name(_ kind: String, _ names: [String], as value: String) {
        for name in names {
            cache.command(["SET", CacheArgument(Self.nameKey(kind, name)), CacheArgument(value), "PX", CacheArgument(keep)]) { _ in }
        }
    }

    public func forget(_ kind: String, names: [String]) async throws(CacheError) {
        guard !names.isEmpty else { return }
        try await cache.command(["DEL"] + names.map { CacheArgument(Self.nameKey(kind, $0)) })
    }

    private static func nameKey(_ kind: String, _ name: String) -> String { "tandem:\(kind):name:\(name)" }

    /// Writes the state, under the lease there is or a new one.
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

    /// Ends the thing: lease and state go, unless another has taken it over.
    public func release(_ kind: String, _ id: String, epoch: UInt64) async throws(CacheError) -> Outcome {
        try await release(kind, [(id: id, epoch: epoch)]).isEmpty ? .done : .lost
    }

    /// Gives the lease up and keeps the state, for a successor to take at once.
    public func yield(_ kind: String, _ id: String, epoch: UInt64) async throws(CacheError) -> Outcome {
        try Self.outcome(await cache.script(Self.yieldScript, keys: Array(keys(kind, id).prefix(2)), arguments: [CacheArgument(epoch)]))
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

    var lease: Int64 { Cache.milliseconds(leaseLength) }
    var keep: Int64 { Cache.milliseconds(stateLength) }

    func index(_ kind: String) -> String { "tandem:\(kind):ids" }

    /// Lease, state and index of one thing. The id comes last, so no id can spell another's key.
    func keys(_ kind: String, _ id: String) -> [String] {
        ["tandem:\(kind):lease:\(id)", "tandem:\(kind):state:\(id)", index(kind)]
    }

    private func saving(_ id: String, _ owner: String, _ epoch: UInt64, _ state: [UInt8]) -> [CacheArgument] {
        [
            CacheArgument(owner), CacheArgument(lease), CacheArgument(keep), CacheArgument(epoch), CacheArgument(state),
            CacheArgument(id), CacheArgument(life),
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
