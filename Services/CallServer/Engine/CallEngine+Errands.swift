import Bus
import Contracts
import Deadlines
import Threads

/// What is left to be done for legs that are over, by the instance that is to do it. Nobody waits for it.
struct Errands {
    struct Session {
        let leg: String
        let command: DeleteMediaSession
        var traced: TracedCommand?
    }

    var sessions: [String: [Session]] = [:]
    var places: [String: [LeaveRoom]] = [:]

    var isEmpty: Bool { sessions.isEmpty && places.isEmpty }
}

/// Ends the media sessions of legs that are over and gives their seats up, gathered for a moment: the legs of a call, and the calls that end about
/// then, make one command for each relay and each mixer in place of two a leg.
extension CallEngine {
    private static let gathering = Interval.milliseconds(40)
    private static let atOnce = 200
    private static let attempts = 6
    /// What is to be heard now or not at all.
    private static let hurriedAttempts = 50
    private static let hurriedPause = Interval.milliseconds(200)

    func deleteSoon(_ leg: Leg) {
        let command = DeleteMediaSession(sessionID: leg.sessionID, epoch: leg.epoch)
        runErrandsSoon()
        errands.sessions[leg.placement.relay, default: []].append(Errands.Session(leg: leg.record.id, command: command))
    }

    func leaveSoon(_ place: LeaveRoom, at mixer: String) {
        runErrandsSoon()
        errands.places[mixer, default: []].append(place)
    }

    private func runErrandsSoon() {
        guard errands.isEmpty else { return }
        loop.schedule(at: loop.now + Self.gathering) { self.assumeIsolated { $0.runErrands() } }
    }

    private func runErrands() {
        let taken = errands
        errands = Errands()
        for (mixer, places) in taken.places {
            for start in stride(from: 0, to: places.count, by: Self.atOnce) {
                leave(Array(places[start..<min(start + Self.atOnce, places.count)]), at: mixer)
            }
        }
        for (relay, sessions) in taken.sessions {
            for start in stride(from: 0, to: sessions.count, by: Self.atOnce) {
                delete(Array(sessions[start..<min(start + Self.atOnce, sessions.count)]), at: relay)
            }
        }
    }

    // MARK: Sessions

    private func delete(_ gathered: [Errands.Session], at relay: String) {
        let begin = loop.now
        let sessions = gathered.map { session in
            var session = session
            session.traced = legs[session.leg].flatMap { trace(session.command, for: $0.leg, at: relay) }
            return session
        }
        ask(DeleteMediaSessions(sessions.map(\.command)), at: relay) { engine, result in
            switch result {
            case .success(let reply) where reply.outcomes.count == sessions.count:
                engine.note(result, of: begin)
                for (session, outcome) in zip(sessions, reply.outcomes) { engine.tell(session, outcome.result) }
            case .success:
                for session in sessions { engine.tell(session, .failure(RPCError(.failed, "not all sessions were answered for"))) }
            case .failure(let error) where error.code == .invalid:
                // A relay of a version before.
                for session in sessions { engine.ask(session.command, at: relay) { $0.tell(session, $1) } }
            case .failure(let error):
                for session in sessions { engine.tell(session, .failure(error)) }
            }
        }
    }

    private func tell(_ session: Errands.Session, _ result: Result<MediaStatistics, RPCError>) {
        session.traced?.ended(result)
        handle(session.leg, .mediaDeleted(try? result.get()))
    }

    private func ask<C: Command>(
        _ command: C, at relay: String, _ answered: @escaping @Sendable (isolated CallEngine, Result<C.Reply, RPCError>) -> Void
    ) {
        errandCount += 1
        let context = CallContext(idempotencyKey: "\(runtime.incarnation)/errand/\(errandCount)", deadline: Self.relayAttempt)
        askRelay(command, at: relay, context, until: loop.now + Self.relayPatience, waitingForBroker: true) { [loop] result in
            loop.post { self.assumeIsolated { answered($0, result) } }
        }
    }

    // MARK: Rooms

    private func leave(_ places: [LeaveRoom], at mixer: String) {
        insist(LeaveRooms(places), at: mixer, of: nil, attempt: 1, orSingly: places)
    }

    /// What must not be lost is asked for again while the mixer cannot be reached: a seat that is not given up would be heard for ever. A mixer of a
    /// version before is told of each place `singly`.
    func insist<C: Command>(
        _ command: C, at mixer: String, of customer: String?, as key: String? = nil, attempt: Int, isHurried: Bool = false,
        orSingly places: [LeaveRoom] = [], givenUp: @escaping @Sendable (RPCError) -> Void = { _ in }
    ) {
        let (attempts, pause): (Int, Interval) = isHurried ? (Self.hurriedAttempts, Self.hurriedPause) : (Self.attempts, .seconds(attempt))
        bus.call(command, to: .instance(mixer), context: CallContext(customer: customer, idempotencyKey: key)) { [loop] result in
            guard case .failure(let error) = result else { return }
            let isOlder = error.code == .invalid && !places.isEmpty
            guard isOlder || [.unavailable, .timeout].contains(error.code) && attempt < attempts else { return givenUp(error) }
            loop.post {
                self.assumeIsolated { engine in
                    if isOlder {
                        for place in places { engine.insist(place, at: mixer, of: customer, attempt: 1) }
                        return
                    }
                    // While the broker is away nobody can be asked: that is no attempt.
                    let next = engine.bus.isReady ? attempt + 1 : attempt
                    _ = loop.schedule(at: loop.now + pause) {
                        self.assumeIsolated { $0.insist(command, at: mixer, of: customer, as: key, attempt: next, isHurried: isHurried, orSingly: places, givenUp: givenUp) }
                    }
                }
            }
        }
    }
}

extension DeleteMediaSessions.Outcome {
    fileprivate var result: Result<MediaStatistics, RPCError> {
        if let statistics { return .success(statistics) }
        return .failure(error ?? RPCError(.failed, "the session was not answered for"))
    }
}
