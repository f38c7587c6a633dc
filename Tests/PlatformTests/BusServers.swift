import Bus
import Cache
import Contracts
import Database
import Flow
import Foundation
import Glibc
import Logging
import Synchronization
import Testing

/// The private servers the tests talk to. `make test` starts them and names them in the environment.
enum Servers {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static func value(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw Missing(description: "\(name) is not set: run `make test`, or name a private server of your own in it")
        }
        return value
    }

    static func amqp() throws -> Bus.Settings {
        try #require(Bus.Settings(url: try value("TANDEM_TEST_AMQP")), "TANDEM_TEST_AMQP is no amqp:// URL")
    }

    static func redis() throws -> Cache.Settings {
        try #require(Cache.Settings(url: try value("TANDEM_TEST_REDIS")), "TANDEM_TEST_REDIS is no redis:// URL")
    }

    static func database() throws -> String { try value("TANDEM_TEST_DATABASE") }

    /// Libraries tell their troubles at warning; tests that cause them on purpose keep quiet.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// A name no other test uses, in queues, keys and schemas.
    static func unique(_ prefix: String) -> String { prefix + String(UInt64.random(in: 0 ... .max), radix: 36) }
}

/// A TCP line to a server that can be cut and restored, so that a loss of the server can be had without killing it.
final class CuttableLine: Sendable {
    private struct State {
        var isCut = false
        var open: Set<Int32> = []
    }

    let port: UInt16
    private let target: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    init(to target: UInt16) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, address, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
        Foundation.Thread.detachNewThread { [self] in accept() }
    }

    func cut() {
        let open = state.withLock { state in
            state.isCut = true
            return state.open
        }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    func restore() { state.withLock { $0.isCut = false } }

    private func accept() {
        while case let near = Glibc.accept(listener, nil, nil), near >= 0 {
            let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(target)
            let isOpen = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            let isWanted = state.withLock { state in
                guard isOpen, !state.isCut else { return false }
                state.open.formUnion([near, far])
                return true
            }
            guard isWanted else {
                close(near)
                close(far)
                continue
            }
            for (from, to) in [(near, far), (far, near)] {
                Foundation.Thread.detachNewThread { [self] in pump(from, to) }
            }
        }
    }

    /// Descriptors are not closed, so that a late `cut` cannot hit a stranger's: a test's process is short.
    private func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(from, &buffer, buffer.count), count > 0 {
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break }
                sent += written
            }
        }
        shutdown(to, Int32(SHUT_RDWR))
        shutdown(from, Int32(SHUT_RDWR))
        state.withLock { _ = $0.open.remove(from) }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// Values that threads of a client bring, awaited by a test.
final class Collected<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    var all: [Value] { values.withLock { $0 } }
    func add(_ value: Value) { values.withLock { $0.append(value) } }

    /// Waits until `count` values are there or five seconds are over, and gives what is there.
    func wait(for count: Int) async -> [Value] {
        await eventually { self.all.count >= count }
        return all
    }
}

/// Waits until `condition` holds or the time is over; whether it holds.
@discardableResult
func eventually(within seconds: Double = 5, _ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}
