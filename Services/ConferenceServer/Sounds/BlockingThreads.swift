import Synchronization
import Threads

/// A few threads for work that blocks or takes long: files, name look-ups, decoding. Mixers and tasks are kept clear of it.
final class BlockingThreads: Sendable {
    private let threads: [ConnectionThread]
    private let next = Atomic<UInt32>(0)

    init(count: Int) {
        threads = (0..<count).map { ConnectionThread(name: "sounds-\($0)", capacity: 64) }
        for thread in threads { thread.start() }
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws(SoundProblem) -> Value) async throws(SoundProblem)
        -> Value
    {
        let turn = next.wrappingAdd(1, ordering: .relaxed).newValue
        let thread = threads[Int(turn) % threads.count]
        let result: Result<Value, SoundProblem> = await withCheckedContinuation { continuation in
            let isQueued = thread.submit {
                continuation.resume(returning: Result { () throws(SoundProblem) in try body() })
            }
            if !isQueued { continuation.resume(returning: .failure(SoundProblem("too many sounds are being prepared"))) }
        }
        return try result.get()
    }
}
