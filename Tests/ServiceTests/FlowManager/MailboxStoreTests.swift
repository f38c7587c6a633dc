import Contracts
import Database
import Flow
import Foundation
import Logging
import Testing

@testable import FlowManager

@Suite("Mailboxes in PostgreSQL", .timeLimit(.minutes(1)))
struct MailboxStoreTests {
    private let customer = "cust_" + String(UInt64.random(in: 0 ... .max), radix: 36)

    /// With a database of its own connections.
    private func with(_ body: (Store, Database) async throws -> Void) async throws {
        let url = try #require(ProcessInfo.processInfo.environment["TANDEM_TEST_DATABASE"], "run `make test`")
        let database = Database(settings: .init(connection: url, connections: 6), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await database.start()
        defer { database.stop() }
        try await database.migrate(schema: Store.schema, Store.migrations)
        try await body(Store(database: database), database)
    }

    private func door(_ store: Store, failures: Int = 3) -> MailboxDoor {
        MailboxDoor(store: store, terms: .init(rounds: 1_000, mostFailures: failures, lockedSeconds: 900))
    }

    private func event(of id: String) -> Event {
        Event(
            id: "evt_\(UInt64.random(in: 0 ... .max))", type: "test", timestamp: Timestamp(milliseconds: 1), customerID: customer, resourceID: id,
            sequence: 1, data: [:])
    }

    private func lay(_ name: String, pin: String? = nil, most: Int? = nil, _ store: Store) async throws -> String {
        let mailbox = Mailbox(
            id: "mbox_\(UInt64.random(in: 0 ... .max))", customerID: customer, name: name, hasPIN: pin != nil, greetingText: nil, greetingURLs: [],
            maxMessages: most, createdAt: Timestamp(milliseconds: 1), updatedAt: Timestamp(milliseconds: 1))
        let stored = try await store.create(
            mailbox, pinHash: pin.map { door(store).hash($0) }, idempotencyKey: mailbox.id, event: event(of: mailbox.id))
        return try #require(stored).id
    }

    @Test("Wrong PINs in a row lock it, also for the right one, until the time is up; a right one begins the count anew")
    func lockOut() async throws {
        try await with { store, database in
            _ = try await lay("a", pin: "4711", store)
            let door = door(store)
            func unlock(_ pin: String?) async throws -> DepotReply { try await door.unlock("a", pin: pin, customerID: customer) }
            #expect(try await unlock(nil) == .refused("pin"), "asking for it counts nothing")
            for _ in 0..<2 { #expect(try await unlock("0000") == .refused("pin")) }
            #expect(try await unlock("4711") == .done)
            for _ in 0..<3 { #expect(try await unlock("0000") == .refused("pin")) }
            #expect(try await unlock("4711") == .refused("locked"))
            #expect(try await unlock(nil) == .refused("locked"))
            #expect(try await door.unlock("a", pin: "x", customerID: customer + "x") == .done, "another customer's of that name has no PIN")
            _ = try await database.run { [customer] connection in
                try connection.change("update flows.mailboxes set locked_until = now() - interval '1 s' where customer_id = $1", [.text(customer)])
            }
            for _ in 0..<2 { #expect(try await unlock("0000") == .refused("pin"), "the count begins anew") }
            #expect(try await unlock("4711") == .done)
        }
    }

    @Test("Whoever tries many PINs at once is locked out like one who tries them in turn")
    func manyAtOnce() async throws {
        try await with { store, _ in
            _ = try await lay("a", pin: "4711", store)
            let door = door(store, failures: 5)
            let replies = try await withThrowingTaskGroup(of: DepotReply.self) { group in
                for number in 0..<24 { group.addTask { try await door.unlock("a", pin: "\(1000 + number)", customerID: customer) } }
                return try await group.reduce(into: [DepotReply]()) { $0.append($1) }
            }
            #expect(replies.count { $0 == .refused("pin") } == 5)
            #expect(replies.count { $0 == .refused("locked") } == 19)
            #expect(try await door.unlock("a", pin: "4711", customerID: customer) == .refused("locked"))
        }
    }

    @Test("Another PIN opens what wrong ones have locked; none leaves it open to all")
    func change() async throws {
        try await with { store, _ in
            let id = try await lay("a", pin: "4711", store)
            let door = door(store, failures: 1)
            #expect(try await door.unlock("a", pin: "1", customerID: customer) == .refused("pin"))
            #expect(try await door.unlock("a", pin: "4711", customerID: customer) == .refused("locked"))
            for (pin, wanted) in [("1234", DepotReply.done), ("", .done)] {
                let told = event(of: id)
                let changed = try await store.change(
                    mailbox: id, customerID: customer, MailboxRules(), pinHash: pin.isEmpty ? "" : door.hash(pin), at: Timestamp(milliseconds: 2)
                ) { _, _ in told }
                #expect(changed?.hasPIN == !pin.isEmpty)
                #expect(try await door.unlock("a", pin: pin, customerID: customer) == wanted)
            }
        }
    }

    private func deposit(_ recording: String, in mailbox: String, most: Int = 500, _ store: Store) async throws -> Store.Deposit {
        let id = "vm_\(UInt64.random(in: 0 ... .max))"
        let voicemail = Contracts.Voicemail(
            id: id, customerID: customer, mailbox: mailbox, status: .new, callID: "call_1", from: "1001", recordingID: recording, durationMS: 5_000,
            createdAt: Timestamp(milliseconds: 1), readAt: nil)
        return try await store.deposit(voicemail, most: most, event: event(of: id))
    }

    @Test("max_messages: so many and no more, what is there counts once, and a deleted one makes room; the platform's own limit holds beside it")
    func full() async throws {
        try await with { store, database in
            _ = try await lay("small", most: 2, store)
            #expect(try await deposit("rec_1", in: "small", store) == .stored)
            #expect(try await deposit("rec_2", in: "small", store) == .stored)
            #expect(try await deposit("rec_3", in: "small", store) == .full)
            #expect(try await deposit("rec_2", in: "small", store) == .wasThere, "told twice it is there, also in a full one")
            #expect(try await deposit("rec_4", in: "none", most: 1, store) == .stored)
            #expect(try await deposit("rec_5", in: "none", most: 1, store) == .full, "nothing is laid down for it")
            #expect(try await deposit("rec_6", in: "small", most: 1, store) == .full, "the lower of the two")
            _ = try await database.run { [customer] connection in
                try connection.change("delete from flows.voicemails where customer_id = $1 and recording_id = 'rec_1'", [.text(customer)])
            }
            #expect(try await deposit("rec_3", in: "small", store) == .stored)
        }
    }

    @Test("max_messages: of callers who hang up at once no more than that are kept")
    func fullAtOnce() async throws {
        try await with { store, database in
            _ = try await lay("small", most: 3, store)
            let results = try await withThrowingTaskGroup(of: Store.Deposit.self) { group in
                for number in 0..<12 { group.addTask { try await deposit("rec_\(number)", in: "small", store) } }
                return try await group.reduce(into: [Store.Deposit]()) { $0.append($1) }
            }
            #expect(results.count { $0 == .stored } == 3)
            #expect(results.count { $0 == .full } == 9)
            let kept = try await store.mailbox("small", customerID: customer, limit: 50)
            #expect(kept.count == 3)
        }
    }
}
