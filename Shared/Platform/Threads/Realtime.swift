internal import CLinux
internal import Synchronization

/// Threads that run before all others of the machine: those that carry sound, which is worth nothing when it is late.
public enum Realtime {
    private final class Trial: Sendable { let isAllowed = Atomic<Bool>(false) }

    /// Whether this process may have a thread of that priority: it takes CAP_SYS_NICE, or a limit (`ulimit -r`) that allows it.
    public static func isAllowed(_ priority: Int) -> Bool {
        let trial = Trial()
        Thread(name: "trial", processor: nil) { trial.isAllowed.store(tandem_run_realtime(Int32(clamping: priority)) == 0, ordering: .relaxed) }.join()
        return trial.isAllowed.load(ordering: .relaxed)
    }
}
