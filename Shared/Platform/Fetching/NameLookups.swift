public import Addresses
internal import Synchronization
internal import Threads

/// Looks host names up on threads of its own: a slow name server holds up nobody else.
public final class NameLookups: Sendable {
    private let threads: [ConnectionThread]
    private let next = Atomic<UInt32>(0)

    public init(name: String, threads count: Int = 4) {
        threads = (0..<count).map { ConnectionThread(name: "\(name)-\($0)", capacity: 256) }
        for thread in threads { thread.start() }
    }

    public func addresses(of host: String) async throws(FetchProblem) -> [IPAddress] {
        let turn = next.wrappingAdd(1, ordering: .relaxed).newValue
        let thread = threads[Int(turn) % threads.count]
        let result: Result<[IPAddress], FetchProblem> = await withCheckedContinuation { continuation in
            let isQueued = thread.submit {
                continuation.resume(returning: Result { () throws(FetchProblem) in try HostNames.addresses(of: host) })
            }
            if !isQueued { continuation.resume(returning: .failure(FetchProblem("too many names are being looked up"))) }
        }
        return try result.get()
    }
}
