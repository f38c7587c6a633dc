internal import CLinux
internal import Glibc

/// A process that is looked after: a child, or one that another process started.
public final class WatchedProcess: Sendable {
    public let id: Int32
    private let handle: Descriptor
    /// Readable when the process has ended.
    public var descriptor: Int32 { handle.number }

    /// Nil when it has ended, or when it is another user's.
    public init?(id: Int32) {
        let descriptor = tandem_process_watch(id)
        guard descriptor >= 0 else { return nil }
        (self.id, handle) = (id, Descriptor(owning: descriptor))
    }

    public func signal(_ number: Int32) { kill(id, number) }

    /// Starts this very program anew with those variables; it gets `socket` as descriptor `number`. Nil when the system has no room.
    public static func spawn(arguments: [String], environment: [String: String], _ socket: MessageSocket, as number: Int32) -> WatchedProcess? {
        let words = unsafe arguments.map { unsafe UnsafePointer(strdup($0)) }
        let variables = unsafe environment.map { unsafe UnsafePointer(strdup("\($0.key)=\($0.value)")) }
        defer { for unsafe text in unsafe words + variables { unsafe free(UnsafeMutablePointer(mutating: text)) } }
        let child = unsafe tandem_spawn(words + [nil], variables + [nil], socket.descriptor, number)
        return child > 0 ? WatchedProcess(id: child) : nil
    }
}

/// How a process ended.
public enum Ending: Hashable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
}

/// The children of this process that have ended, whoever's they were: the first process of a container is everybody's heir.
public enum Reaper {
    public static func next() -> (process: Int32, ending: Ending)? {
        var status: Int32 = 0
        let process = unsafe tandem_reap(&status)
        guard process > 0 else { return nil }
        return (process, status < 0 ? .killed(signal: -status) : .exited(status))
    }
}

/// TERM, INT, HUP and CHLD as something to be read. Made once.
public final class Signals: Sendable {
    private let handle: Descriptor
    public var descriptor: Int32 { handle.number }

    public init?() {
        let descriptor = tandem_signals_open()
        guard descriptor >= 0 else { return nil }
        handle = Descriptor(owning: descriptor)
    }

    public func next() -> Int32? {
        let signal = tandem_signals_next(descriptor)
        return signal > 0 ? signal : nil
    }
}

/// This process.
public enum ThisProcess {
    public static var id: Int32 { getpid() }

    /// As `ps` shows it: 15 bytes.
    public static func name(_ name: String) { unsafe tandem_name_process(name) }

    public static var environment: [String: String] {
        var values: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
            unsafe entry = entry.advanced(by: 1)
        }
        return values
    }

    /// At once: the exit handlers of C libraries would pull the ground from under threads that still use them.
    public static func leave(_ status: Int32) -> Never { _exit(status) }
}
