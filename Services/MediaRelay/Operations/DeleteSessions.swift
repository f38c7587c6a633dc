import Contracts
import Synchronization

extension Relay {
    /// `relay.sessions.delete`: each on its own thread, and the answer when the last of them has come round.
    func delete(_ command: DeleteMediaSessions, _ respond: @escaping @Sendable (Result<DeleteMediaSessions.Reply, RPCError>) -> Void) {
        guard command.sessions.count <= DeleteMediaSessions.limit else {
            return respond(.failure(RPCError(.invalid, "too many sessions to end at once")))
        }
        guard !command.sessions.isEmpty else { return respond(.success(DeleteMediaSessions.Reply(outcomes: []))) }
        let farewells = Farewells(of: command.sessions.count, respond)
        for (place, session) in command.sessions.enumerated() {
            loop(of: session.sessionID).post { loop in
                farewells.take(Result { () throws(RPCError) in try loop.delete(session) }, at: place)
            }
        }
    }
}

/// What comes of the sessions of one command.
private final class Farewells: Sendable {
    private struct State {
        var outcomes: [DeleteMediaSessions.Outcome?]
        var left: Int
    }

    private let state: Mutex<State>
    private let respond: @Sendable (Result<DeleteMediaSessions.Reply, RPCError>) -> Void

    init(of count: Int, _ respond: @escaping @Sendable (Result<DeleteMediaSessions.Reply, RPCError>) -> Void) {
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), left: count))
        self.respond = respond
    }

    func take(_ result: Result<MediaStatistics, RPCError>, at place: Int) {
        let all = state.withLock { state in
            state.outcomes[place] = DeleteMediaSessions.Outcome(result)
            state.left -= 1
            return state.left == 0 ? state.outcomes.compactMap(\.self) : nil
        }
        if let all { respond(.success(DeleteMediaSessions.Reply(outcomes: all))) }
    }
}
