/// Many things in one command: what a second or a moment brings together costs Redis, and the way there, little more than one.
extension Snapshots {
    /// Of a command; Redis does nothing else meanwhile.
    private static let (mostClaims, mostStates) = (200, 50)

    /// A state to be written; without an epoch of a thing that is taken with it, unless it is another's.
    public struct Writing: Sendable {
        public var id: String
        public var epoch: UInt64?
        public var state: [UInt8]

        public init(id: String, epoch: UInt64?, state: [UInt8]) { (self.id, self.epoch, self.state) = (id, epoch, state) }
    }

    /// Writes all of them; the epoch that each has now, nil for one that is another's.
    public func write(_ kind: String, owner: String, _ writings: [Writing]) async throws(CacheError) -> [UInt64?] {
        var epochs: [UInt64?] = []
        for start in stride(from: 0, to: writings.count, by: Self.mostStates) {
            let chunk = writings[start..<min(start + Self.mostStates, writings.count)]
            let common = [CacheArgument(owner), CacheArgument(lease), CacheArgument(keep), CacheArgument(life)]
            let reply = try await cache.script(
                Self.writeScript, keys: keys(kind, chunk.map(\.id)),
                arguments: common + chunk.flatMap { [CacheArgument($0.id), CacheArgument($0.epoch ?? 0), CacheArgument($0.state)] })
            guard let numbers = reply.array, numbers.count == chunk.count else { throw .unexpectedReply("write") }
            epochs += numbers.map { $0.integer.flatMap { $0 > 0 ? UInt64(exactly: $0) : nil } }
        }
        return epochs
    }

    /// Renews the leases of all things given; those that are lost to another.
    public func renew(
        _ kind: String, owner: String, _ claims: [(id: String, epoch: UInt64)]
    ) async throws(CacheError) -> [String] {
        var lost: [String] = []
        for start in stride(from: 0, to: claims.count, by: Self.mostClaims) {
            let chunk = claims[start..<min(start + Self.mostClaims, claims.count)]
            let reply = try await cache.script(
                Self.renewScript, keys: chunk.flatMap { keys(kind, $0.id).prefix(2) },
                arguments: [CacheArgument(owner), CacheArgument(lease), CacheArgument(keep), CacheArgument(life)]
                    + chunk.map { CacheArgument($0.epoch) })
            guard let outcomes = reply.array, outcomes.count == chunk.count else { throw .unexpectedReply("renew") }
            lost += zip(chunk, outcomes).filter { $1.integer == 0 }.map(\.0.id)
        }
        return lost
    }

    /// Ends all of them: leases and states go; those that another has taken over, and stay.
    public func release(_ kind: String, _ claims: [(id: String, epoch: UInt64)]) async throws(CacheError) -> [String] {
        var lost: [String] = []
        for start in stride(from: 0, to: claims.count, by: Self.mostClaims) {
            let chunk = claims[start..<min(start + Self.mostClaims, claims.count)]
            let reply = try await cache.script(
                Self.releaseScript, keys: keys(kind, chunk.map(\.id)),
                arguments: chunk.flatMap { [CacheArgument($0.id), CacheArgument($0.epoch)] })
            guard let outcomes = reply.array, outcomes.count == chunk.count else { throw .unexpectedReply("release") }
            lost += zip(chunk, outcomes).filter { $1.integer == 0 }.map(\.0.id)
        }
        return lost
    }

    /// Lease and state of every thing in turn, and the index.
    private func keys(_ kind: String, _ ids: [String]) -> [String] { ids.flatMap { keys(kind, $0).prefix(2) } + [index(kind)] }
}
