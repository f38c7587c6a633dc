public import Foundation
import Glibc
import Synchronization

/// A process that a test starts, with what is used here of Foundation's `Process`.
///
/// That one reads past the end of a buffer when it looks for open descriptors (swift-corelibs-foundation, Swift 6.3: the length of a
/// `dirent` is not that of its type), which now and then ends the tests with signal 11; and its children inherit blocked signals.
public final class ChildProcess: @unchecked Sendable {
    // Sendable: set up by one thread before `run`, and the rest is in `status`.

    public struct NotStarted: Error {
        public let program: String
        public let code: Int32
    }

    public var executable = ""
    public var arguments: [String] = []
    /// Nil: that of the tests.
    public var environment: [String: String]?
    public var folder: String?
    /// Nil: nothing, and nowhere.
    public var input: FileHandle?
    public var output: FileHandle?
    public var error: FileHandle?

    public private(set) var processIdentifier: Int32 = 0
    /// What `waitpid` said; nil while it runs.
    private let status = Mutex<Int32?>(nil)

    public init(_ executable: String, _ arguments: [String] = []) { (self.executable, self.arguments) = (executable, arguments) }

    /// glibc's, which is not declared for Swift: what tests have open is none of their children's business.
    private static let closeFrom: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32)? = {
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return nil }
        return unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)
    }()

    public func run() throws(NotStarted) {
        var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (number, handle) in [(0, input), (1, output), (2, error)] as [(Int32, FileHandle?)] {
            if let handle {
                posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, number)
            } else {
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            }
        }
        guard let closeFrom = Self.closeFrom, closeFrom(&actions, 3) == 0 else { throw NotStarted(program: executable, code: ENOSYS) }
        // As a shell starts it: nothing blocked, nothing ignored.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        // glibc's way to another folder is not declared for Swift.
        let command = folder.map { ["/usr/bin/env", "--chdir=\($0)", executable] } ?? [executable]
        let words = (command + arguments).map { strdup($0) } + [nil]
        let settings = (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        let code = posix_spawn(&processIdentifier, command[0], &actions, &attributes, words, settings)
        guard code == 0 else { throw NotStarted(program: executable, code: code) }
    }

    public var isRunning: Bool { processIdentifier > 0 && wait(WNOHANG) == nil }

    public func waitUntilExit() { while processIdentifier > 0, wait(WNOHANG) == nil { usleep(2_000) } }

    /// What it returned; of one that a signal ended, 128 and the signal, as shells have it. Zero while it runs.
    public var terminationStatus: Int32 {
        guard let status = wait(WNOHANG) else { return 0 }
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    private func wait(_ options: Int32) -> Int32? {
        status.withLock { status in
            var told: Int32 = 0
            if status == nil, waitpid(processIdentifier, &told, options) == processIdentifier { status = told }
            return status
        }
    }
}
