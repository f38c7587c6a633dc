import Contracts
import Deadlines
import Flow

/// Calls that meet: one waits with music in its own room (`hold`), another goes there (`meet`). Both flows go on when either has gone.
extension Leg {
    struct Meeting: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable { case waiting, coming, met }

        var stage = Stage.waiting
        /// The other call, once it is known.
        var peer: String?
    }

    /// Why the leg cannot be met; nil when it can.
    func objectionToMeeting(_ peer: String) -> String? {
        guard phase == .up, isSeated, pendingOutcome == nil, case .hold? = performing?.action.kind, let meeting = performing?.meeting else {
            return "the call does not wait"
        }
        return meeting.peer == nil || meeting.peer == peer ? nil : "another call is on its way there"
    }

    // MARK: Who waits

    mutating func hold(_ option: Hold, at moment: Moment, into effects: inout [LegEffect]) {
        performing?.meeting = Meeting()
        deadlines[.action] = moment.now + .milliseconds(option.timeout)
        play(Self.music(option), loop: true, at: moment, into: &effects)
        deadlines[.play] = nil
        publish("call.parked", with: Self.place(option), into: &effects)
    }

    static func music(_ option: Hold) -> [PlaySource] { option.streamURLs.isEmpty ? [.music] : option.streamURLs.map { .url($0) } }

    private static func place(_ option: Hold) -> [String: JSONValue] { ["park": ["lot": .string(option.lot), "slot": .string(option.slot)]] }

    /// Music that could not be played leaves silence; the wait goes on.
    mutating func holdMusicEnded() -> Bool {
        guard case .hold? = performing?.action.kind else { return false }
        return true
    }

    mutating func holdTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        // Who is on the way is told that it comes too late.
        guard let meeting = performing?.meeting, meeting.stage != .met else { return }
        finish(.noAnswer, at: moment, into: &effects)
    }

    mutating func peerCame(_ peer: String, _ change: MeetCall.Change, at moment: Moment, into effects: inout [LegEffect]) {
        guard var meeting = performing?.meeting, pendingOutcome == nil else { return }
        switch (performing?.action.kind, change) {
        case (.hold, .coming):
            guard objectionToMeeting(peer) == nil, meeting.stage == .waiting else { return }
            meeting = Meeting(stage: .coming, peer: peer)
            performing?.meeting = meeting
        case (.hold(let option), .arrived):
            guard meeting.peer == peer, meeting.stage == .coming else { return }
            meeting.stage = .met
            performing?.meeting = meeting
            deadlines[.action] = nil
            if let playID = performing?.playID {
                performing?.playID = nil
                effects.append(.stopPlay(playID: playID))
            }
            var details = Self.place(option)
            details["peer_call_id"] = .string(peer)
            publish("call.retrieved", with: details, into: &effects)
        case (.hold, .left):
            guard meeting.peer == peer else { return }
            guard meeting.stage == .met else {
                performing?.meeting = Meeting()
                return
            }
            performing?.meeting?.peer = nil
            digits = ""
            finish(Outcome(.completed, data: ["call_id": .string(peer)]), at: moment, into: &effects)
        case (.meet, .left):
            guard meeting.peer == peer else { return }
            performing?.meeting?.peer = nil
            finish(Outcome(.completed, data: ["call_id": .string(peer)]), at: moment, into: &effects)
        default: break
        }
    }

    // MARK: Who comes

    mutating func meet(_ option: Meet, at moment: Moment, into effects: inout [LegEffect]) {
        performing?.meeting = Meeting(stage: .waiting, peer: option.callID)
        deadlines[.action] = moment.now + .seconds(10)
        effects.append(.askPeer(option.callID, step: performing?.step ?? 0))
    }

    /// Where the other waits.
    mutating func peerFound(_ step: Int, _ place: CallPlace, at moment: Moment, into effects: inout [LegEffect]) {
        guard performing?.step == step, pendingOutcome == nil, performing?.meeting?.stage == .waiting else { return }
        performing?.meeting?.stage = .coming
        move(roomID: place.roomID, instance: place.instance, conferenceID: nil, into: &effects)
    }

    mutating func peerMissed(_ step: Int, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        guard performing?.step == step, performing?.meeting?.stage == .waiting else { return }
        performing?.meeting = nil
        finish(.failed(error.code.rawValue), at: moment, into: &effects)
    }

    /// The seat that was asked for is taken: when it is the other's, it is told.
    mutating func metIfThere(into effects: inout [LegEffect]) {
        guard case .meet? = performing?.action.kind, performing?.meeting?.stage == .coming, seat.roomID != ownRoomID, let peer = performing?.meeting?.peer
        else { return }
        performing?.meeting?.stage = .met
        deadlines[.action] = nil
        effects.append(.tellPeer(peer, .arrived))
    }

    /// Its owner has died: what the other may not have been told is told again.
    mutating func meetAgain(into effects: inout [LegEffect]) {
        guard let current = performing, case .meet = current.action.kind, let meeting = current.meeting, let peer = meeting.peer else { return }
        switch meeting.stage {
        case .waiting: effects.append(.askPeer(peer, step: current.step))
        case .coming: break
        case .met: effects.append(.tellPeer(peer, .arrived))
        }
    }

    mutating func meetTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        guard performing?.meeting?.stage != .met else { return }
        leavePeer(into: &effects)
        finish(.failed("timeout"), at: moment, into: &effects)
    }

    /// However it ends here, the other is told.
    mutating func leavePeer(into effects: inout [LegEffect]) {
        guard let peer = performing?.meeting?.peer else { return }
        performing?.meeting?.peer = nil
        effects.append(.tellPeer(peer, .left))
    }

    /// It sits in another call's room, and its action is over.
    var isElsewhere: Bool { if case .meet? = performing?.action.kind { seat.roomID != ownRoomID && seat.conferenceID == nil } else { false } }
}
