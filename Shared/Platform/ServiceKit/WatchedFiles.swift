internal import Glibc
internal import Synchronization

/// Files that a service reads again while it runs: when one of them changes, and whenever the process gets a SIGHUP.
public struct WatchedFiles: Sendable {
    /// What tells one version of the files from the next.
    public struct Stamp: Equatable, Sendable {
        fileprivate let numbers: [Int]
    }

    public let paths: [String]

    public init(_ paths: [String]) { self.paths = paths }

    /// Take it before the files are read: what changes in between is read again then.
    public var stamp: Stamp {
        Stamp(
            numbers: [HangUps.count] + paths.flatMap { path -> [Int] in
                var status = stat()
                guard unsafe fstatat(AT_FDCWD, path, &status, 0) == 0 else { return [0] }
                return [Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            })
    }

    /// Calls `changed` after every change since `first`, until the task is cancelled.
    public func watch(since first: Stamp, every pause: Duration = .seconds(1), _ changed: @Sendable () -> Void) async {
        var seen = first
        while (try? await Task.sleep(for: pause)) != nil {
            let current = stamp
            guard current != seen else { continue }
            seen = current
            changed()
        }
    }
}

/// The SIGHUPs this process got, by custom the wish that it reads its files again.
enum HangUps {
    private static let received = Atomic<Int>(0)

    static var count: Int { received.load(ordering: .relaxed) }

    /// From here on the signal is counted and does not end the process.
    static func listen() {
        // Touched first: within a handler nothing may be made.
        _ = count
        _ = signal(SIGHUP) { _ in HangUps.received.add(1, ordering: .relaxed) }
    }
}
