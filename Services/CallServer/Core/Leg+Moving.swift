import Contracts
import Deadlines

/// Carrying a leg's media over another relay, because its own is leaving or has gone: a session there, a re-INVITE with its ports, and
/// once the phone has answered, the seat is heard and spoken to through it.
extension Leg {
    /// A move under way.
    struct Move: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable {
            /// The new session is being made.
            case creating
            /// The phone has our offer.
            case offering
        }

        var relay: String
        /// Tells the sessions of a leg apart.
        var session: Int
        var stage = Stage.creating
        var description = ""
        var inside: InsideEndpoint?
    }

    /// What a leg remembers of its moves, as long as there is something to remember.
    struct Moves: Codable, Sendable, Equatable {
        /// The session that carries the media: 0 is the first.
        var current = 0
        var last = 0
        var move: Move?
        /// Where to go when there is time again.
        var wanted: String?
        /// Offers that came to nothing for a reason that may pass.
        var failures = 0
        /// The phone does not take offers: it stays where it is.
        var isRefused = false
        /// The seat that is being taken is told of the old session.
        var mustPoint = false
        /// What the sessions before this one carried.
        var earlier: MediaStatistics?
    }

    private static let attempts = 3
    private static let pause = Interval.milliseconds(500)

    /// The name of a session of this leg.
    func sessionID(_ number: Int) -> String {
        let name = "sess_" + record.id.drop { $0 != "_" }.dropFirst()
        return number == 0 ? name : "\(name)-\(number)"
    }

    var sessionID: String { sessionID(moves?.current ?? 0) }

    /// Its session is to be left for one at that relay.
    mutating func moveWanted(to relay: String, at moment: Moment, into effects: inout [LegEffect]) {
        let moves = moves ?? Moves()
        guard phase == .up, media.stage == .ready, media.isAgreed, moves.move == nil, !moves.isRefused else { return }
        self.moves = moves
        // An exchange of the phone's goes first.
        guard !media.isRenegotiating, !isOffering else { return moveLater(after: Self.pause, to: relay, at: moment) }
        deadlines[.move] = nil
        let move = Move(relay: relay, session: moves.last + 1)
        self.moves?.last = move.session
        self.moves?.wanted = nil
        self.moves?.move = move
        effects.append(.createElsewhere(relay: relay, session: move.session, continuing: media.description))
    }

    mutating func moveIsDue(at moment: Moment, into effects: inout [LegEffect]) {
        guard let relay = moves?.wanted else { return }
        moves?.wanted = nil
        moveWanted(to: relay, at: moment, into: &effects)
    }

    private mutating func moveLater(after pause: Interval, to relay: String, at moment: Moment) {
        moves?.wanted = relay
        deadlines[.move] = moment.now + pause
    }

    mutating func createdElsewhere(_ session: Int, _ reply: CreateMediaSession.Reply, at moment: Moment, into effects: inout [LegEffect]) {
        guard var move = moves?.move, move.session == session, move.stage == .creating else { return }
        guard !media.isRenegotiating, !isOffering else {
            // What the offer goes on with is changing meanwhile.
            giveUp(move, into: &effects)
            return moveLater(after: Self.pause, to: move.relay, at: moment)
        }
        (move.stage, move.description, move.inside) = (.offering, reply.description, reply.inside)
        moves?.move = move
        effects.append(.reinvite(session: session, body: reply.description))
    }

    mutating func creationElsewhereFailed(_ session: Int, into effects: inout [LegEffect]) {
        guard let move = moves?.move, move.session == session else { return }
        // Whoever wants the leg moved asks again; nobody knows whether the session came into being.
        giveUp(move, into: &effects)
    }

    /// The phone has taken the offer: from here on the new session is the leg's.
    mutating func moveAccepted(_ session: Int, answer: String?, at moment: Moment, into effects: inout [LegEffect]) {
        guard let move = moves?.move, move.session == session, move.stage == .offering, let inside = move.inside else { return }
        guard let answer else { return moveRefused(session, code: 488, wait: .zero, at: moment, into: &effects) }
        let left = (relay: placement.relay, session: sessionID)
        moves?.move = nil
        moves?.current = session
        moves?.failures = 0
        placement.relay = move.relay
        (media.description, media.inside) = (move.description, inside)
        effects.append(.updateMedia(.answer, remote: answer, profile: nil))
        if seat.stage == .linking || seat.stage == .linked, let room = seat.inside {
            effects.append(.relink(room))
            effects.append(.pointSeat(inside))
        } else if seat.stage == .joining {
            moves?.mustPoint = true
        }
        effects.append(.deleteElsewhere(relay: left.relay, sessionID: left.session))
    }

    /// The phone refuses the offer, or nothing was heard of it: it stays with the old session. `wait` is how long RFC 3261 §14.1 keeps us
    /// waiting after a collision.
    mutating func moveRefused(_ session: Int, code: Int, wait: Interval, at moment: Moment, into effects: inout [LegEffect]) {
        guard let move = moves?.move, move.session == session else { return }
        giveUp(move, into: &effects)
        switch code {
        case 491:
            moveLater(after: wait, to: move.relay, at: moment)
        case 481:
            end(.completed, Status(code: 408, cause: 102), by: "platform", at: moment, into: &effects)
        case 408, 430, 480, 500, 503, 504:
            moves?.failures += 1
            guard let failures = moves?.failures, failures < Self.attempts else { moves?.isRefused = true; break }
            moveLater(after: .seconds(4), to: move.relay, at: moment)
        default:
            moves?.isRefused = true
        }
    }

    /// The seat that was just taken was told of a session that is no more.
    mutating func pointLateSeat(into effects: inout [LegEffect]) {
        guard moves?.mustPoint == true, let inside = media.inside else { return }
        moves?.mustPoint = false
        effects.append(.pointSeat(inside))
    }

    /// The leg ends: what was made for a move goes too.
    mutating func endMove(into effects: inout [LegEffect]) {
        if let move = moves?.move { giveUp(move, into: &effects) }
        moves?.wanted = nil
    }

    mutating func sessionLeft(_ statistics: MediaStatistics) {
        let sum = statistics.after(moves?.earlier)
        moves?.earlier = sum
    }

    private mutating func giveUp(_ move: Move, into effects: inout [LegEffect]) {
        moves?.move = nil
        effects.append(.deleteElsewhere(relay: move.relay, sessionID: sessionID(move.session)))
    }
}
