import Bus
import Cache
import Contracts
import Database
import Flow
import Foundation
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
