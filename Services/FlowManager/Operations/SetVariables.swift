import Bus
import Contracts
import Flow

extension Runs {
    /// Whoever advances the run at the same moment finds that it has moved, and does so from where it is now.
    func setVariables(_ command: SetRunVariables) async throws -> Done {
        for _ in 0..<Self.attempts {
            guard let stored = try await self.stored(command.runID, customerID: command.customerID) else {
                throw RPCError(.notFound, "there is no such run")
            }
            guard var run = stored.run else { throw RPCError(.conflict, "the run is over") }
            // Its row says who makes the request, and must not say anything else.
            if case .needAnswer = run.current { throw RPCError(.conflict, "the run waits for a web server; try again") }
            let refused = interpreter.set(command.variables, in: &run)
            guard refused.isEmpty else {
                throw RPCError(
                    .invalid, "variables that cannot be set",
                    problems: refused.map { Problem(pointer: "/variables/\($0.prefix(64))", code: "reserved", detail: "is the platform's, or too much") })
            }
            if try await write(run, Move(occurrences: [], sends: []), over: stored, at: runtime.timestamp(), durably: true) != nil { return Done() }
        }
        throw RPCError(.unavailable, "the run is being moved by others")
    }
}
