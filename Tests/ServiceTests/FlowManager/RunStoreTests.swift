import Contracts
import Database
import Flow
import Foundation
import Logging
import Testing

@testable import FlowManager

@Suite("Runs in PostgreSQL", .timeLimit(.minutes(1)))
struct RunStoreTests {
    private let customer = "cust_" + String(UInt64.random(in: 0 ... .max), radix: 36)

    private func with(_ body: (Store) async throws -> Void) async throws {
        let url = try #require(ProcessInfo.processInfo.environment["TANDEM_TEST_DATABASE"], "run `make test`")
        let database = Database(settings: .init(connection: url, connections: 2), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await database.start()
        defer { database.stop() }
        try await database.migrate(schema: Store.schema, Store.migrations)
        try await body(Store(database: database))
    }

    /// One that waits for a web server.
    private func run(_ id: String, chain: Int?) throws -> StoredRun {
        let actions = try Validation().actions([["type": "http_request", "option": ["url": "http://example.com/"]]]).get()
        var run = Run(actions: actions, isAlone: chain != nil)
        _ = Interpreter().start(&run, at: 0)
        let record = RunRecord(
            id: id, customerID: customer, flowID: nil, referenceID: "call_1", status: StoredRun.running, step: run.step,
            createdAt: Timestamp(milliseconds: 1), endedAt: nil)
        return StoredRun(record: record, run: run, version: 1, sequence: 0, chain: chain)
    }

    @Test("A run without a call that is written again, PostgreSQL having lost it, is looked after as before; one that a call has is not (DESIGN §5)")
    func aloneAgain() async throws {
        try await with { store in
            // Of all runs of this test database the oldest are found first.
            let (alone, called) = ("run_0\(customer)a", "run_0\(customer)b")
            let recollection = Recollection()
            for stored in [try run(alone, chain: 2), try run(called, chain: nil)] {
                #expect(try await store.insert(stored, []).isNew)
                recollection.wrote(stored, [], [])
            }
            _ = try await store.run { [customer] connection in
                try connection.change("delete from flows.runs where customer_id = $1", [.text(customer)])
            }
            for id in [alone, called] {
                let entry = try #require(recollection.entry(of: id, customerID: customer))
                #expect(try await store.insert(entry.stored, []).isNew)
            }
            let lookedAfter = try await store.aloneRuns(limit: 100).filter { $0.record.customerID == customer }
            #expect(lookedAfter.map(\.record.id) == [alone])
            #expect(lookedAfter.first?.chain == 2)
            #expect(try await store.storedRun(alone, customerID: customer).run?.chain == 2, "and is followed by no more than before")
            #expect(try await store.storedRun(called, customerID: customer).run?.chain == nil)
            _ = try await store.run { [customer] connection in
                try connection.change("delete from flows.runs where customer_id = $1", [.text(customer)])
            }
        }
    }

    @Test("Who is through in a life of PostgreSQL is known by the process, not by its name, and only in that life")
    func through() async throws {
        try await with { store in
            let (life, next) = ("life_\(customer)", "life_\(customer)x")
            #expect(try await store.through(in: life).isEmpty)
            try await store.isThrough("\(customer)-1", "inc_1", in: life)
            try await store.isThrough("\(customer)-2", "inc_2", in: life)
            #expect(try await store.through(in: life) == ["inc_1", "inc_2"])
            try await store.isThrough("\(customer)-1", "inc_3", in: life)
            #expect(try await store.through(in: life) == ["inc_2", "inc_3"])
            try await store.isThrough("\(customer)-2", "inc_2", in: next)
            #expect(try await store.through(in: life) == ["inc_3"])
            #expect(try await store.through(in: next) == ["inc_2"])
            _ = try await store.run { [customer] connection in
                try connection.change("delete from flows.recollected where instance in ($1, $2)", [.text(customer + "-1"), .text(customer + "-2")])
            }
        }
    }
}
