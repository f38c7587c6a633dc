import Bus
import Contracts
import Deadlines
import Flow
import Foundation
import Synchronization
import Telemetry
import Testing

/// A command as a service would have it; served by the bus of `conferenceServer` so that no real service interferes.
private struct Double: Command {
    static let name = "test.double"
    static let service = ServiceName.conferenceServer
    typealias Reply = Doubled
    var number: Int
}

private struct Doubled: Codable, Sendable, Equatable {
    var number: Int
    var by: String
}

private struct Unserved: Command {
    static let name = "test.unserved"
    static let service = ServiceName.conferenceServer
    typealias Reply = Done
}

private struct Slow: Command {
    static let name = "test.slow"
    static let service = ServiceName.conferenceServer
    typealias Reply = Done
    var milliseconds: Int
}

/// What both carriers promise: RabbitMQ, and memory for the tests of services.
@Suite("The bus", .serialized, .timeLimit(.minutes(1)))
struct BusTests {
    enum Carrier: CaseIterable {
        case rabbitMQ, memory
    }

    private let broker = InMemoryBroker()

    private func bus(
        _ carrier: Carrier, _ service: ServiceName, _ instance: String = Servers.unique("t"), _ prepare: (Bus) -> Void = { _ in }
    ) async throws -> Bus {
        let bus: Bus
        switch carrier {
        case .rabbitMQ:
            bus = Bus(settings: try Servers.amqp(), service: service, instance: instance, logger: Servers.silent)
        case .memory: bus = Bus(inMemory: broker, service: service, instance: instance, logger: Servers.silent)
        }
        prepare(bus)
        await bus.start()
        return bus
    }

    private func event(_ type: String, _ resource: String = "call_1", _ sequence: Int64 = 1) -> Event {
        Event(
            id: Servers.unique("evt_"), type: type, timestamp: Timestamp(milliseconds: 0), customerID: "cust_1",
            resourceID: resource, sequence: sequence, data: .object([:]))
    }

    @Test("a command is performed by any instance, or by the one that is named", arguments: Carrier.allCases)
    func calls(_ carrier: Carrier) async throws {
        let names = [Servers.unique("a"), Servers.unique("b")]
        var servers: [Bus] = []
        for name in names {
            servers.append(
                try await bus(carrier, .conferenceServer, name) { bus in
                    bus.serve(Double.self, on: .both) { command, _ in Doubled(number: command.number * 2, by: name) }
                })
        }
        let client = try await bus(carrier, .apiGateway)
        var performers: Set<String> = []
        for number in 0..<10 {
            let reply = try await client.call(Double(number: number))
            #expect(reply.number == number * 2)
            performers.insert(reply.by)
        }
        #expect(performers == Set(names))
        for name in names {
            #expect(try await client.call(Double(number: 4), to: .instance(name)) == Doubled(number: 8, by: name))
        }
        for bus in servers + [client] { await bus.stop() }
    }

    @Test("how long an answer was waited for is counted with the service that was asked")
    func times() async throws {
        func counted() -> Int {
            let name = "tandem_amqp_rpc_seconds_count{queue=\"ConferenceServer\"} "
            let line = Metrics.exposition().split(separator: "\n").first { $0.hasPrefix(name) }
            return line.flatMap { Int($0.dropFirst(name.count)) } ?? 0
        }
        let server = try await bus(.memory, .conferenceServer) { bus in
            bus.serve(Double.self) { command, _ in Doubled(number: command.number, by: "") }
        }
        let client = try await bus(.memory, .apiGateway)
        let before = counted()
        for number in 0..<3 { _ = try await client.call(Double(number: number)) }
        #expect(counted() >= before + 3)
        await client.stop()
        await server.stop()
    }

    @Test("a refusal arrives with its code, its detail and its problems", arguments: Carrier.allCases)
    func refusals(_ carrier: Carrier) async throws {
        let refusal = RPCError(.invalid, "too big", problems: [Problem(pointer: "/number", detail: "above 9")])
        let server = try await bus(carrier, .conferenceServer) { bus in
            bus.serve(Double.self) { command, _ in
                if command.number > 9 { throw refusal }
                throw CocoaError(.fileNoSuchFile)
            }
            bus.serve(immediately: Slow.self, on: .anyInstance) { _, _, respond in _ = respond }
        }
        let client = try await bus(carrier, .apiGateway)
        await #expect(throws: refusal) { try await client.call(Double(number: 10)) }
        // What the service did not mean to say stays with it.
        await #expect(throws: RPCError(.failed, "test.double failed")) { try await client.call(Double(number: 1)) }
        let dropped = await #expect(throws: RPCError.self) { try await client.call(Slow(milliseconds: 0)) }
        #expect(dropped?.code == .failed)
        let unserved = await #expect(throws: RPCError.self) { try await client.call(Unserved()) }
        #expect(unserved?.code == .invalid)
        await client.stop()
        await server.stop()
    }

    @Test("nobody there is known at once; no answer in time is a timeout", arguments: Carrier.allCases)
    func deadlines(_ carrier: Carrier) async throws {
        let performed = Mutex(0)
        let name = Servers.unique("s")
        let server = try await bus(carrier, .conferenceServer, name) { bus in
            bus.serve(Slow.self, on: .both) { command, delivery in
                #expect(delivery.deadline > Instant(nanoseconds: 0))
                try await Task.sleep(for: .milliseconds(command.milliseconds))
                performed.withLock { $0 += 1 }
                return Done()
            }
        }
        let client = try await bus(carrier, .apiGateway)
        let clock = ContinuousClock()
        let began = clock.now
        let nobody = await #expect(throws: RPCError.self) { try await client.call(Slow(milliseconds: 0), to: .instance("nobody")) }
        #expect(nobody?.code == .unavailable)
        #expect(clock.now - began < .seconds(1))
        let late = await #expect(throws: RPCError.self) {
            try await client.call(Slow(milliseconds: 400), context: CallContext(deadline: .milliseconds(100)))
        }
        #expect(late?.code == .timeout)
        #expect(await eventually { performed.withLock { $0 } == 1 })
        await client.stop()
        await server.stop()
    }

    @Test("one idempotency key on an instance's queue is performed once", arguments: Carrier.allCases)
    func idempotency(_ carrier: Carrier) async throws {
        let performed = Mutex(0)
        let name = Servers.unique("s")
        let server = try await bus(carrier, .conferenceServer, name) { bus in
            bus.serve(Double.self, on: .thisInstance) { command, delivery in
                #expect(delivery.customer == "cust_1")
                #expect(delivery.traceparent == "00-trace")
                try await Task.sleep(for: .milliseconds(20))
                let count = performed.withLock { count in
                    count += 1
                    return count
                }
                return Doubled(number: count, by: "")
            }
        }
        let client = try await bus(carrier, .apiGateway)
        let context = CallContext(customer: "cust_1", traceparent: "00-trace", idempotencyKey: "key")
        async let first = client.call(Double(number: 1), to: .instance(name), context: context)
        async let second = client.call(Double(number: 1), to: .instance(name), context: context)
        #expect(try await [first.number, second.number] == [1, 1])
        #expect(try await client.call(Double(number: 1), to: .instance(name), context: context).number == 1)
        #expect(performed.withLock { $0 } == 1)
        await client.stop()
        await server.stop()
    }

    @Test("cancelling ends the wait", arguments: Carrier.allCases)
    func cancelling(_ carrier: Carrier) async throws {
        let server = try await bus(carrier, .conferenceServer) { bus in
            bus.serve(Slow.self) { command, _ in
                try await Task.sleep(for: .milliseconds(command.milliseconds))
                return Done()
            }
        }
        let client = try await bus(carrier, .apiGateway)
        let call = Task { try await client.call(Slow(milliseconds: 1_000)) }
        try await Task.sleep(for: .milliseconds(50))
        call.cancel()
        let began = ContinuousClock.now
        await #expect(throws: RPCError.self) { try await call.value }
        #expect(ContinuousClock.now - began < .milliseconds(500))
        await client.stop()
        await server.stop()
    }

    @Test("events arrive in order per resource, tried again while their reader is in transient trouble", arguments: Carrier.allCases)
    func events(_ carrier: Carrier) async throws {
        let heard = Collected<Event>()
        let signalled = Collected<String>()
        let troubles = Mutex(2)
        let kind = Servers.unique("k")
        let reader = try await bus(carrier, .flowManager) { bus in
            bus.subscribe(durable: Servers.unique("test.events."), to: ["\(kind).*"], ordered: false) { events in
                let isTroubled = troubles.withLock { count in
                    defer { count = max(0, count - 1) }
                    return count > 0
                }
                if isTroubled { throw RPCError(.unavailable) }
                for event in events { heard.add(event) }
            }
            // Two patterns that both match are still one message.
            bus.listen(to: ["\(kind).#", "\(kind).*"]) { signalled.add($0.type) }
        }
        let writer = try await bus(carrier, .apiGateway)
        let resources = (0..<4).map { "call_\($0)" }
        let events = (1...10).flatMap { number in resources.map { event("\(kind).went", $0, Int64(number)) } }
        try await writer.publish(events)
        let arrived = await heard.wait(for: 40)
        #expect(Set(arrived.map(\.id)) == Set(events.map(\.id)))
        for resource in resources {
            #expect(arrived.filter { $0.resourceID == resource }.map(\.sequence) == Array(1...10))
        }
        writer.signal(event("\(kind).signalled.live"))
        #expect(await signalled.wait(for: 41).last == "\(kind).signalled.live")
        await reader.stop()
        await writer.stop()
    }

    @Test("RELIABILITY V8: an event that cannot be used is delivered twice, then put aside", arguments: Carrier.allCases)
    func poison(_ carrier: Carrier) async throws {
        let tried = Collected<String>()
        let kind = Servers.unique("k")
        let reader = try await bus(carrier, .flowManager) { bus in
            bus.subscribe(durable: Servers.unique("test.poison."), to: ["\(kind).*"]) { events in
                let isBad = events.contains { $0.resourceID == "bad" }
                // Among others it is found out by reading each by itself.
                if !isBad || events.count == 1 { for event in events { tried.add(event.resourceID) } }
                if isBad { throw CocoaError(.fileNoSuchFile) }
            }
        }
        let writer = try await bus(carrier, .apiGateway)
        for resource in ["bad", "good"] { try await writer.publish([event("\(kind).a", resource)]) }
        #expect(await eventually { tried.all.count(where: { $0 == "bad" }) == 2 && tried.all.contains("good") })
        try await writer.publish([event("\(kind).a", "after")])
        #expect(await eventually { tried.all.contains("after") })
        #expect(tried.all.count { $0 == "bad" } == 2)
        if carrier == .memory { #expect(broker.deadLetters == 1) }
        await reader.stop()
        await writer.stop()
    }
}
