import Synchronization

/// The tasks that live from the moment the service is ready until it drains. The life cycle's hooks return, so no task group can
/// hold them.
final class BackgroundWork: Sendable {
    private let tasks = Mutex<[Task<Void, Never>]>([])

    func start(_ body: @escaping @Sendable () async -> Void) {
        let task = Task { await body() }
        tasks.withLock { $0.append(task) }
    }

    func cancel() {
        for task in tasks.withLock({ $0 }) { task.cancel() }
    }
}
