import Bus
import Contracts
import Flow
import Foundation
import Synchronization
import Suite
import Testing

private struct Ping: Command {
    static let name = "test.ping"
    static let service = ServiceName.mediaRelay
    typealias Reply = Done
    var milliseconds = 0
}

/// RELIABILITY D1: what the loss of the broker means to those who use the bus.
@Suite("The bus without its broker", .serialized, .timeLimit(.minutes(1)))
struct BusLossTests {
    private func bus(_ settings: Bus.Settings, _ service: ServiceName, _ prepare: (Bus) -> Void = { _ in }) -> Bus {
        let bus = Bus(settings: settings, service: service, instance: Servers.unique("t"), logger: Servers.silent)
        prepare(bus)
        return bus
    }

    @Test("a loss fails what waits at once, new calls too, and all works again after the return")
    func loss() async throws {
        var settings = try Servers.amqp()
        let line = try CuttableLine(to: settings.port)
        settings.port = line.port
        let heard = Collected<Int64>()
        let kind = Servers.unique("k")
        let server = bus(settings, .mediaRelay) { bus in
            bus.serve(Ping.self, on: .both) { ping, _ in
                try await Task.sleep(for: .milliseconds(ping.milliseconds))
                return Done()
            }
            bus.subscribe(durable: Servers.unique("test.loss."), to: ["\(kind).*"]) { for event in $0 { heard.add(event.sequence) } }
        }
        let client = bus(settings, .apiGateway)
        await server.start()
        await client.start()
        _ = try await client.call(Ping())

        let waiting = Task { try await client.call(Ping(milliseconds: 1_500)) }
        try await Task.sleep(for: .milliseconds(50))
        let began = ContinuousClock.now
        line.cut()
        let lost = await #expect(throws: RPCError.self) { try await waiting.value }
        #expect(lost?.code == .unavailable)
        #expect(await eventually { !client.isReady && !server.isReady })
        let refused = await #expect(throws: RPCError.self) { try await client.call(Ping()) }
        #expect(refused?.code == .unavailable)
        #expect(ContinuousClock.now - began < .seconds(1))

        // Events published meanwhile wait, and arrive in order.
        let published = Task {
            try await client.publish(
                (1...20).map {
                    Event(
                        id: Servers.unique("evt_"), type: "\(kind).went", timestamp: Timestamp(milliseconds: 0), customerID: "c",
                        resourceID: "r", sequence: $0, data: .null)
                })
        }
        try await Task.sleep(for: .milliseconds(200))
        line.restore()
        #expect(await eventually { client.isReady && server.isReady })
        try await published.value
        #expect(await heard.wait(for: 20) == Array(1...20))
        _ = try await client.call(Ping())
        await client.stop()
        await server.stop()
    }

    @Test("start waits for a broker that is not there yet, and says so")
    func lateBroker() async throws {
        var settings = try Servers.amqp()
        let line = try CuttableLine(to: settings.port)
        line.cut()
        settings.port = line.port
        let bus = bus(settings, .apiGateway)
        let started = Task { await bus.start() }
        try await Task.sleep(for: .milliseconds(150))
        #expect(!bus.isReady)
        #expect(bus.condition != "connected")
        line.restore()
        await started.value
        #expect(bus.isReady)
        #expect(bus.condition == "connected")
        await bus.stop()
    }

    @Test("stopping without the broker ends the wait of a publisher")
    func stopping() async throws {
        var settings = try Servers.amqp()
        let line = try CuttableLine(to: settings.port)
        settings.port = line.port
        let bus = bus(settings, .apiGateway)
        await bus.start()
        line.cut()
        #expect(await eventually { !bus.isReady })
        let event = Event(
            id: "evt", type: "test.never", timestamp: Timestamp(milliseconds: 0), customerID: "c", resourceID: "r", sequence: 1,
            data: .null)
        let published = Task { try await bus.publish([event]) }
        try await Task.sleep(for: .milliseconds(50))
        await bus.stop()
        await #expect(throws: RPCError.self) { try await published.value }
    }

    @Test("a request whose process dies is performed by another instance")
    func redelivery() async throws {
        let settings = try Servers.amqp()
        var cut = settings
        let line = try CuttableLine(to: settings.port)
        cut.port = line.port
        let taken = Mutex(0)
        let doomed = bus(cut, .mediaRelay) { bus in
            bus.serve(Ping.self) { _, _ in
                taken.withLock { $0 += 1 }
                try await Task.sleep(for: .seconds(30))
                return Done()
            }
        }
        let client = bus(settings, .apiGateway)
        await doomed.start()
        await client.start()
        let asked = Task { try await client.call(Ping(), context: CallContext(deadline: .seconds(4))) }
        #expect(await eventually { taken.withLock { $0 } == 1 })
        let successor = bus(settings, .mediaRelay) { bus in bus.serve(Ping.self) { _, _ in Done() } }
        await successor.start()
        line.cut()
        #expect(try await asked.value == Done())
        await client.stop()
        await successor.stop()
    }

    @Test("RELIABILITY V8: a request that two processes died of is put aside, and its caller told")
    func poison() async throws {
        let settings = try Servers.amqp()
        let taken = Mutex(0)
        var doomed: [(bus: Bus, line: CuttableLine)] = []
        for _ in 0..<2 {
            var cut = settings
            let line = try CuttableLine(to: settings.port)
            cut.port = line.port
            let bus = bus(cut, .mediaRelay) { bus in
                bus.serve(Ping.self) { _, _ in
                    taken.withLock { $0 += 1 }
                    try await Task.sleep(for: .seconds(30))
                    return Done()
                }
            }
            doomed.append((bus, line))
        }
        let client = bus(settings, .apiGateway)
        await client.start()
        await doomed[0].bus.start()
        let asked = Task { try await client.call(Ping(), context: CallContext(deadline: .seconds(8))) }
        #expect(await eventually { taken.withLock { $0 } == 1 })
        await doomed[1].bus.start()
        doomed[0].line.cut()
        #expect(await eventually { taken.withLock { $0 } == 2 })
        let successor = bus(settings, .mediaRelay) { bus in
            bus.serve(Ping.self) { _, _ in
                taken.withLock { $0 += 1 }
                return Done()
            }
        }
        await successor.start()
        doomed[1].line.cut()
        let refused = await #expect(throws: RPCError.self) { try await asked.value }
        #expect(refused?.code == .failed)
        #expect(taken.withLock { $0 } == 2)
        #expect(try await client.call(Ping()) == Done())
        await client.stop()
        await successor.stop()
    }

    @Test("DESIGN §4: a request whose deadline has passed is dropped unread")
    func expired() async throws {
        let settings = try Servers.amqp()
        let taken = Mutex(0)
        let prepare = { (bus: Bus) in
            bus.serve(Ping.self) { _, _ in
                taken.withLock { $0 += 1 }
                return Done()
            }
        }
        // Leaves the shared queue behind.
        let first = bus(settings, .mediaRelay, prepare)
        await first.start()
        await first.stop()
        let client = bus(settings, .apiGateway)
        await client.start()
        let late = await #expect(throws: RPCError.self) {
            try await client.call(Ping(), context: CallContext(deadline: .milliseconds(100)))
        }
        #expect(late?.code == .timeout)
        let second = bus(settings, .mediaRelay, prepare)
        await second.start()
        #expect(try await client.call(Ping()) == Done())
        #expect(taken.withLock { $0 } == 1)
        await client.stop()
        await second.stop()
    }
}
