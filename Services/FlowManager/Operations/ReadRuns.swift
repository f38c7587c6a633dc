import Bus
import Contracts

extension Runs {
    func get(_ command: GetRun) async throws -> RunRecord {
        guard let record = try await store.record(command.id, customerID: command.customerID) else {
            throw RPCError(.notFound, "there is no such run")
        }
        return record
    }

    func list(_ command: ListRuns) async throws -> Page<RunRecord> {
        let records = try await store.records(
            customerID: command.customerID, after: command.page.cursor, limit: command.page.limit, flowID: command.flowID,
            referenceID: command.referenceID, status: command.status)
        return Page(records, limit: command.page.limit, cursor: \.id)
    }
}
