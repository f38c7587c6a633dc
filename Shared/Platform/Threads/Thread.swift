internal import CLinux
internal import Glibc
internal import Synchronization

/// One POSIX thread, started once and joined once.
struct Thread: ~Copyable {
    private final class Body: Sendable {
        let name: String
        let processor: Int?
        let priority: Int
        let run: @Sendable () -> Void

        init(name: String, processor: Int?, priority: Int, run: @escaping @Sendable () -> Void) {
            (self.name, self.processor, self.priority, self.run) = (name, processor, priority, run)
        }
    }

    private let thread: pthread_t

    /// An identity to compare with `current`; never 0.
    static var current: UInt { UInt(pthread_self()) }

    /// `priority`: of a real-time thread, 1 to 99; 0: like all others. A processor that may not be used is not an error, nor is a priority: inside a
    /// container the thread simply runs without.
    init(name: String, processor: Int?, priority: Int = 0, _ run: @escaping @Sendable () -> Void) {
        let body = unsafe Unmanaged.passRetained(Body(name: name, processor: processor, priority: priority, run: run))
        var thread = pthread_t()
        let started = unsafe pthread_create(&thread, nil, Self.main, body.toOpaque())
        precondition(started == 0, "no thread can be started: raise the limit of threads (ulimit -u)")
        self.thread = thread
    }

    consuming func join() { pthread_join(thread, nil) }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument = unsafe argument else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        unsafe body.name.withCString { unsafe tandem_name_thread($0) }
        if body.priority > 0 { _ = tandem_run_realtime(Int32(clamping: body.priority)) }
        if let processor = body.processor { _ = tandem_pin_thread(Int32(clamping: processor)) }
        body.run()
        return nil
    }
}
