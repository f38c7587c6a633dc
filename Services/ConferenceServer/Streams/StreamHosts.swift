import Addresses
import Threads

/// Finds where a stream may connect to: a host is looked up once, all its addresses are checked, and the connection goes to the
/// checked one, so a name server that changes its mind in between gains nothing. On threads of its own, for a look-up blocks.
final class StreamHosts: Sendable {
    private let policy: FetchPolicy
    private let threads: [ConnectionThread]

    init(policy: FetchPolicy) {
        self.policy = policy
        threads = (0..<2).map { ConnectionThread(name: "streams-\($0)", capacity: 256) }
        for thread in threads { thread.start() }
    }

    /// Any thread; `found` is called on another.
    func find(_ address: StreamAddress, _ found: @escaping @Sendable (Result<SocketAddress, SoundProblem>) -> Void) {
        let thread = threads[Int(address.host.utf8.reduce(0 as UInt32) { $0 &* 31 &+ UInt32($1) }) % threads.count]
        let isQueued = thread.submit { [policy] in
            found(Result { () throws(SoundProblem) in try Self.find(address, policy) })
        }
        if !isQueued { found(.failure(SoundProblem("too many streams are being begun"))) }
    }

    func find(_ address: StreamAddress) async throws(SoundProblem) -> SocketAddress {
        let result: Result<SocketAddress, SoundProblem> = await withCheckedContinuation { continuation in find(address) { continuation.resume(returning: $0) } }
        return try result.get()
    }

    private static func find(_ address: StreamAddress, _ policy: FetchPolicy) throws(SoundProblem) -> SocketAddress {
        let addresses = try HostNames.addresses(of: address.host)
        guard policy.permits(host: address.host, port: address.port, addresses: addresses), let first = addresses.first,
            let port = UInt16(exactly: address.port)
        else { throw SoundProblem("\(address.host) is no public server, and the operator does not allow it") }
        return SocketAddress(first, port: port)
    }
}
