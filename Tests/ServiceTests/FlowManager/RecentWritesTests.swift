import Contracts
import Flow
import Testing

@testable import FlowManager

@Suite("What a crash of PostgreSQL would take back is known for as long as it would (DESIGN §5)")
struct RecentWritesTests {
    private let begin = ContinuousClock.now
    private let time = Timestamp(milliseconds: 1_764_000_000_000)

    private func run(_ id: String = "run_1", version: Int) -> StoredRun {
        StoredRun(
            record: RunRecord(
                id: id, customerID: "cust_1", flowID: nil, referenceID: "call_1", status: StoredRun.running, step: version, createdAt: time, endedAt: nil),
            run: nil, version: version, sequence: Int64(version))
    }

    private func event(_ number: Int) -> Event {
        Event(
            id: "evt_\(number)", type: "run.action_started", timestamp: time, customerID: "cust_1", resourceID: "run_1", sequence: Int64(number), data: .null)
    }

    @Test("A row that is behind is told what the writes after it told, and nothing of those before")
    func told() {
        var recent = RecentWrites()
        for version in 1...4 { recent.wrote(run(version: version), [event(version)], [], at: begin) }
        let entry = recent.entries["run_1"]
        #expect(entry?.stored.version == 4)
        #expect(entry?.told(after: 2).events.map(\.id) == ["evt_3", "evt_4"])
        #expect(entry?.told(after: 0).events.count == 4, "the row is gone altogether")
        #expect(entry?.told(after: 4).events.isEmpty == true)
    }

    @Test("Writes that are told of in the other order leave the later one")
    func order() {
        var recent = RecentWrites()
        recent.wrote(run(version: 3), [event(3)], [], at: begin)
        recent.wrote(run(version: 2), [event(2)], [], at: begin)
        #expect(recent.entries["run_1"]?.stored.version == 3)
        #expect(recent.entries["run_1"]?.told(after: 1).events.map(\.id) == ["evt_2", "evt_3"])
    }

    @Test("What is on disk by now is forgotten, by write; a run all of whose writes are, with them")
    func forgotten() {
        var recent = RecentWrites()
        recent.wrote(run(version: 1), [event(1)], [], at: begin)
        recent.wrote(run(version: 2), [event(2)], [], at: begin + .seconds(3))
        recent.wrote(run("run_2", version: 1), [], [], at: begin)
        recent.forget(writtenBefore: begin + .seconds(1))
        #expect(recent.entries["run_1"]?.told(after: 0).events.map(\.id) == ["evt_2"])
        #expect(recent.entries["run_2"] == nil)
        recent.forget(writtenBefore: begin + .seconds(4))
        #expect(recent.entries.isEmpty)
    }

    @Test("A run of another customer is nobody's here")
    func tenants() {
        let recollection = Recollection()
        recollection.wrote(run(version: 1), [], [])
        #expect(recollection.entry(of: "run_1", customerID: "cust_1") != nil)
        #expect(recollection.entry(of: "run_1", customerID: "cust_2") == nil)
    }
}
