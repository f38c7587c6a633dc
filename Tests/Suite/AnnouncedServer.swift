public import Addresses
import Bus
import Contracts
import Flow
import Foundation
import Logging
import Synchronization

/// Says of a server that a test plays that it is a call server, on a bus where the running suite is not: an edge of the test's own
/// on that bus places calls there.
public final class AnnouncedServer: Sendable {
    private static let pause: UInt32 = 200_000

    /// For `TANDEM_AMQP_URL` of the edge.
    public let bus: String
    private let isOver = Atomic(false)

    /// Until it is let go.
    public static func announce(_ address: SocketAddress) async throws -> AnnouncedServer {
        guard let url = ProcessInfo.processInfo.environment["TANDEM_TEST_AMQP"], let settings = Bus.Settings(url: url) else {
            throw RunningSuite.Missing.variable("TANDEM_TEST_AMQP")
        }
        let instance = "test-\(address.port)"
        let bus = Bus(
            settings: settings, service: .callServer, instance: instance, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await bus.start()
        let server = AnnouncedServer(url)
        // A thread of its own: on a machine that is busy with other tests, a task may come too late to be alive.
        Thread.detachNewThread { [weak server] in
            var number = 0
            while let server, !server.isOver.load(ordering: .relaxed) {
                number += 1
                bus.signal(Self.announcement(of: instance, at: address, number))
                usleep(pause)
            }
            Task { await bus.stop() }
        }
        return server
    }

    private init(_ bus: String) { self.bus = bus }

    /// It is gone without a word.
    public func stop() { isOver.store(true, ordering: .relaxed) }

    private static func announcement(of instance: String, at address: SocketAddress, _ number: Int) -> Event {
        Event(
            id: "evt_\(instance)\(number)", type: Announcement.typePrefix + ServiceName.callServer.rawValue,
            timestamp: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)), customerID: "", resourceID: instance,
            sequence: 0,
            data: [
                "service": .string(ServiceName.callServer.rawValue), "instance": .string(instance), "incarnation": "1",
                "addresses": ["sip": .string(address.description)], "pool": "all", "load": 0, "draining": false,
            ])
    }
}
