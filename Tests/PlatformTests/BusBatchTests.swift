import Contracts
import Flow
import Foundation
import Synchronization
import Testing

@testable import Bus

/// What is published together is few messages, and no reader can tell.
@Suite("Events in batches", .serialized, .timeLimit(.minutes(1)))
struct BusBatchTests {
    private let broker = InMemoryBroker()
    private let kind = Servers.unique("k")

    private func bus(
        _ carrier: BusTests.Carrier, _ service: ServiceName = .flowManager, _ prepare: (Bus) -> Void = { _ in }
    ) async throws -> Bus {
        let instance = Servers.unique("t")
        let bus: Bus
        switch carrier {
        case .rabbitMQ: bus = Bus(settings: try Servers.amqp(), service: service, instance: instance, logger: Servers.silent)
        case .memory: bus = Bus(inMemory: broker, service: service, instance: instance, logger: Servers.silent)
        }
        prepare(bus)
        await bus.start()
        return bus
    }

    private func event(_ name: String, _ sequence: Int64, _ data: String = "") -> Event {
        Event(
            id: Servers.unique("evt_"), type: "\(kind).\(name)", timestamp: Timestamp(milliseconds: 0), customerID: "cust_1",
            resourceID: "call_1", sequence: sequence, data: .object(["text": .string(data)]))
    }

    private func messages(_ events: [WrittenEvent], most: Int = EventBatch.mostEvents) -> [Message] {
        EventBatch.messages(of: events, sender: "test", most: most)
    }

    @Test("a message takes a hundred events or 64 KiB, in their order; one event is a message as it is")
    func cutting() throws {
        let events = try (1...250).map { try WrittenEvent(event($0 % 2 == 0 ? "b" : "a", $0, "one\nline")) }
        let cut = messages(events)
        #expect(cut.map { EventBatch.texts($0.body).count } == [100, 100, 50])
        #expect(cut.flatMap { EventBatch.texts($0.body) } == events.map(\.text))
        #expect(cut.allSatisfy { $0.properties.type == Properties.Kind.events && $0.properties.isPersistent })
        #expect(cut.map(\.properties.messageID) == [0, 100, 200].map { events[$0].id })
        #expect(cut.allSatisfy { $0.routingKey == "\(kind).a" && $0.furtherKeys == ["\(kind).b"] })

        let wide = try (1...10).map { try WrittenEvent(event("a", $0, String(repeating: "x", count: 20_000))) }
        #expect(messages(wide).map { EventBatch.texts($0.body).count } == [3, 3, 3, 1])
        #expect(messages(wide).allSatisfy { $0.body.count <= 65_536 && $0.furtherKeys.isEmpty })

        let single = try #require(messages([events[1]]).first)
        #expect(single.properties.type == "\(kind).b" && single.routingKey == "\(kind).b")
        #expect(single.body == events[1].text && single.properties.customer == "cust_1" && single.furtherKeys.isEmpty)
        #expect(messages([]).isEmpty)

        // What older versions read.
        let alone = messages(Array(events.prefix(5)), most: 1)
        #expect(alone.map(\.body) == events.prefix(5).map(\.text) && alone.allSatisfy { $0.properties.type == $0.routingKey && $0.furtherKeys.isEmpty })
    }

    @Test("an event larger than a batch goes alone, as does one whose text has a line break")
    func alone() throws {
        let small = try (1...4).map { try WrittenEvent(event("a", $0)) }
        let large = try WrittenEvent(event("a", 5, String(repeating: "x", count: 100_000)))
        let broken = try WrittenEvent(text: small[0].text + Array("\n".utf8))
        let cut = messages([small[0], small[1], large, small[2], broken, small[3]])
        #expect(cut.map(\.body).dropFirst() == [large.text, small[2].text, broken.text, small[3].text])
        #expect(cut.first.map { EventBatch.texts($0.body) } == [small[0].text, small[1].text])
        #expect(cut.dropFirst().allSatisfy { $0.properties.type == "\(kind).a" })
    }

    @Test("order is kept over batches, large events among them, and no reader is given more than 500 at once", arguments: BusTests.Carrier.allCases)
    func order(_ carrier: BusTests.Carrier) async throws {
        let heard = Collected<Int64>()
        let most = Mutex(0)
        let reader = try await bus(carrier) { bus in
            bus.subscribe(durable: Servers.unique("test.batches."), to: ["\(kind).*"]) { events in
                most.withLock { $0 = max($0, events.count) }
                for event in events { heard.add(event.sequence) }
            }
        }
        let writer = try await bus(carrier, .apiGateway)
        try await writer.publish((1...1_500).map { event($0 % 2 == 0 ? "b" : "a", $0, String(repeating: "x", count: $0 % 400 == 0 ? 70_000 : 50)) })
        #expect(await heard.wait(for: 1_500) == Array(1...1_500))
        #expect(most.withLock { $0 } <= 500)
        await reader.stop()
        await writer.stop()
    }

    @Test("each reader gets its own events out of one message, once", arguments: BusTests.Carrier.allCases)
    func readers(_ carrier: BusTests.Carrier) async throws {
        let (left, right, heard) = (Collected<Int64>(), Collected<Int64>(), Collected<Int64>())
        let reader = try await bus(carrier) { bus in
            // Several keys of the message lead to either queue, and the first to neither.
            bus.subscribe(durable: Servers.unique("test.left."), to: ["\(kind).a", "\(kind).both.#"]) { for event in $0 { left.add(event.sequence) } }
            bus.subscribe(durable: Servers.unique("test.right."), to: ["\(kind).b", "\(kind).both.*"]) { for event in $0 { right.add(event.sequence) } }
            bus.listen(to: ["\(kind).b", "\(kind).both.last"]) { heard.add($0.sequence) }
        }
        let writer = try await bus(carrier, .apiGateway)
        try await writer.publish([event("nobody", 1), event("a", 2), event("b", 3), event("both.x", 4), event("a", 5), event("nobody", 6), event("b", 7)])
        // A message in which nothing is for the right one; with the next it is known to have passed.
        try await writer.publish([event("nobody", 8), event("a", 9)])
        try await writer.publish([event("both.last", 10)])
        #expect(await eventually { [left, right, heard].allSatisfy { $0.all.last == 10 } })
        #expect(left.all == [2, 4, 5, 9, 10])
        #expect(right.all == [3, 4, 7, 10])
        #expect(heard.all == [3, 7, 10])
        await reader.stop()
        await writer.stop()
    }

    @Test("RELIABILITY V8: one event of ten that cannot be used goes to the dead letters alone", arguments: BusTests.Carrier.allCases)
    func poison(_ carrier: BusTests.Carrier) async throws {
        let done = Collected<Int64>()
        let refused = Mutex(0)
        let reader = try await bus(carrier) { bus in
            bus.subscribe(durable: Servers.unique("test.poison."), to: ["\(kind).*"]) { events in
                if events.contains(where: { $0.sequence == 4 }) {
                    if events.count == 1 { refused.withLock { $0 += 1 } }
                    throw CocoaError(.fileNoSuchFile)
                }
                for event in events { done.add(event.sequence) }
            }
        }
        let writer = try await bus(carrier, .apiGateway)
        let events = try (1...10).map { try WrittenEvent(event($0 % 2 == 0 ? "b" : "a", $0)) }
        try await writer.publish(events)
        // Among its neighbours, then by itself as often as any other.
        #expect(await eventually { refused.withLock { $0 } == 3 && done.all.count >= 9 })
        try await writer.publish([event("a", 11)])
        #expect(await eventually { done.all.contains(11) })
        #expect(done.all == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11])
        #expect(refused.withLock { $0 } == 3)
        if carrier == .memory { #expect(broker.dead.map(\.body) == [events[3].text]) }
        await reader.stop()
        await writer.stop()
    }

    @Test("a line of a batch that is no event goes to the dead letters alone", arguments: BusTests.Carrier.allCases)
    func unreadable(_ carrier: BusTests.Carrier) async throws {
        let heard = Collected<Int64>()
        let reader = try await bus(carrier) { bus in
            bus.subscribe(durable: Servers.unique("test.unreadable."), to: ["\(kind).*"]) { for event in $0 { heard.add(event.sequence) } }
        }
        let writer = try await bus(carrier, .apiGateway)
        let events = try (1...2).map { try WrittenEvent(event("a", $0)) }
        var message = try #require(messages(events).first)
        message.body = events[0].text + Array("\n{\"id\":\n".utf8) + events[1].text
        try await writer.transport.sendConfirmed([message]).get()
        try await writer.publish([event("a", 3)])
        #expect(await heard.wait(for: 3) == [1, 2, 3])
        if carrier == .memory { #expect(broker.dead.map(\.body) == [Array("{\"id\":".utf8)]) }
        await reader.stop()
        await writer.stop()
    }

    @Test("while a bad event cannot be put aside, its message is unsettled, and another instance gets it")
    func unsettled() async throws {
        let queue = Servers.unique("test.unsettled.")
        let refused = Mutex(0)
        let heard = Collected<Int64>()
        let doomed = try await bus(.memory) { bus in
            bus.subscribe(durable: queue, to: ["\(kind).*"]) { events in
                guard events.contains(where: { $0.sequence == 2 }) else { return }
                if events.count == 1 {
                    broker.isAway = true
                    refused.withLock { $0 += 1 }
                }
                throw CocoaError(.fileNoSuchFile)
            }
        }
        let writer = try await bus(.memory, .apiGateway)
        try await writer.publish((1...3).map { event("a", $0) })
        #expect(await eventually { refused.withLock { $0 } == 1 })
        await doomed.stop()
        broker.isAway = false
        let successor = try await bus(.memory) { bus in
            bus.subscribe(durable: queue, to: ["\(kind).*"]) { for event in $0 { heard.add(event.sequence) } }
        }
        #expect(await heard.wait(for: 3) == [1, 2, 3])
        #expect(broker.deadLetters == 0)
        await successor.stop()
        await writer.stop()
    }
}
