import Contracts
import Deadlines
import Flow
import SIP

/// What can happen to a leg.
enum LegEvent: Sendable {
    // From SIP, inbound leg.
    case invited(offer: String?, number: String)
    case canceled
    /// The phone took a re-INVITE back.
    case reinviteCanceled
    // From SIP, outbound leg; `branch` numbers the target.
    case rang(branch: Int)
    case progressed(branch: Int, Progress)
    /// A 3xx, with the numbers it names, the likeliest first.
    case targetMoved(branch: Int, code: Int, to: [String])
    /// A 422, with its Min-SE.
    case refusedAsShort(branch: Int, minimum: Int?)
    case accepted(branch: Int, answer: String?)
    case refused(branch: Int, code: Int)
    // From SIP, both.
    case byed
    case reinvited(offer: String?)
    /// An UPDATE with an offer (RFC 3311).
    case updated(offer: String, early: String?)
    /// A PRACK (RFC 3262).
    case acknowledgedEarly(ProvisionalAcknowledgement, body: String?)
    /// To our refresh of the session; `wait`: how long to keep away after a collision.
    case refreshAnswered(code: Int, answer: String?, SessionTimer?, minimum: Int?, wait: Interval)
    /// The phone told of a key in an INFO; for so many ms.
    case keyInMessage(String, duration: Int)
    /// It told of candidates for ICE in one (RFC 8840).
    case trickled(String)
    /// A MESSAGE (RFC 3428).
    case texted(String)
    /// A REFER (RFC 3515).
    case referred(Leg.Referral)
    /// The REFER's subscription is refreshed, or ends with 0; or the phone takes no more NOTIFYs of it.
    case subscribed(seconds: Int)
    case noticeRefused(UInt32)
    /// One that names a call which cannot be joined with this one.
    case referredInVain(Leg.Referral)
    /// One whose two parties are being brought together.
    case partnersJoined(by: Leg.Referral)
    /// To our REFER.
    case referAnswered(code: Int)
    /// By NOTIFY: how the call goes that the phone makes for us.
    case referralProgressed(code: Int, isOver: Bool)
    /// An ACK that carries the answer to an offer of ours.
    case answeredInAck(String)
    /// The ACK of an INVITE without an offer, without an answer to ours.
    case unansweredInAck
    /// No ACK came for our 200, or a request of ours found the dialog gone.
    case dialogLost

    // From the services.
    case resolved(flowID: String?, defaultActions: [Action])
    case unresolved(RPCError)
    case found([ReachableBinding])
    case notToBeDisturbed
    case causeCopied(Int?)
    case notFound(RPCError)
    /// `seat` is the place that was asked for along with it.
    case mediaCreated(CreateMediaSession.Reply, seat: Leg.Seat? = nil)
    /// Our offer in that form.
    case mediaOffered(String, MediaProfile)
    case mediaOfferFailed(RPCError)
    case mediaFailed(RPCError)
    /// The relay takes no session, as the error says; that one might.
    case mediaRefused(RPCError, offer: String?, other: String)
    case mediaUpdated(UpdateMediaSession.Reply, kind: UpdateMediaSession.Kind)
    case mediaUpdateFailed(RPCError, kind: UpdateMediaSession.Kind)
    case mediaDeleted(MediaStatistics?)
    /// The phone can be heard before its answer.
    case heardEarly
    /// The relay is to be left for another.
    case moveWanted(relay: String)
    /// The relay has lost the session; where to make another, perhaps there again.
    case sessionLost(relay: String)
    case createdElsewhere(session: Int, CreateMediaSession.Reply)
    case creationElsewhereFailed(session: Int)
    case moveAccepted(session: Int, answer: String?)
    /// `wait`: how long to keep away after a collision.
    case moveRefused(session: Int, code: Int, wait: Interval)
    case sessionLeft(MediaStatistics)
    /// `seat` is the number of the place that was asked for.
    case joined(seat: Int, roomID: String, instance: String, inside: InsideEndpoint)
    case joinFailed(seat: Int, RPCError)
    case linked(seat: Int)
    case linkFailed(seat: Int, RPCError)
    /// The instance is gone, or has lost the leg's room; who goes on with it.
    case seatLost(at: String, successor: String)
    /// Over the API: into that room, or into a conference.
    case moveRequested(roomID: String, instance: String, conferenceID: String?)
    case step(RunStep)
    case stepFailed(RPCError)
    /// What the run wants while an action is performed that it may want no more.
    case watched(RunStep)
    case watchFailed
    case digit(String)
    /// One that the room did not hear.
    case digitPastRoom(String)
    /// What the room heard of what it was asked to listen for.
    case heard(watchID: String, Finding)
    /// Nil: nothing more is to be listened for.
    case listenWanted(Watch?)
    /// Nil: the transcription is to end.
    case transcriptionWanted(Transcription?)
    case listening(watchID: String)
    case listenFailed(watchID: String, RPCError)
    case playFinished(playID: String, PlayFinished.Reason)
    /// What became of a step that begins or ends recordings.
    case recordingAnswered(step: Int, Outcome)
    /// `reason` when it was a conference that could not be entered.
    case removedFromRoom(roomID: String, reason: String? = nil)
    case mediaSilent
    /// There is no path to the phone, or there are no keys.
    case mediaLost(reason: String)

    // From the other legs.
    /// A call that meets this one, or that this one meets.
    case peerCame(String, MeetCall.Change)
    case peerFound(step: Int, CallPlace)
    case peerMissed(step: Int, RPCError)
    case childRang(String)
    /// It can be heard before it answers.
    case childProgressed(String)
    case childAnswered(String)
    case childEnded(String, Leg.Status, Call.Status)
    /// A child's phone transfers its partner.
    case transferWanted(by: String, number: String, program: Leg.Program?, from: String)
    /// Who called it sends it to a flow, and has nothing more to do with it.
    case sentOn(Leg.Program, counted: Leg.Counted?, end: Instant?)
    /// That leg has gone there.
    case partnerSent(String)
    /// The phone of that leg has sent a text.
    case partnerTexted(String, String)
    /// How far a transfer is that this leg's phone has asked for.
    case referralTold(Int)
    /// Somebody else talks in this leg's place.
    case replaced
    case placeTaken(of: String, by: String)
    /// Somebody talks in the room besides.
    case joinedBy(String)
    /// Whom this leg talks with is being transferred.
    case waiting(Bool)
    /// The first leg has left the call: this one is the first now.
    case inherited(Leg.Bequest)
    case adopted(by: String)
    case arrivalWanted(Leg.Arrival, roomID: String, instance: String)
    case partnerGoesElsewhere(String)
    case goesElsewhere(to: String, without: String)
    case parentEnded
    /// The same, and why (Q.850): its phone is told.
    case parentGone(cause: Int)
    /// A call that ends with this one.
    case attached(String)
    /// The call that this one ends with is over.
    case masterEnded

    // From the API and the clock.
    case hangUp(cause: Int)
    /// One of the two of this leg's call is to talk with a third first; then it leaves the two to each other, or not.
    case consultWanted(by: String, number: String)
    case consultationOver(completes: Bool)
    /// A `gather` beside what its flow does.
    case askWanted(id: String, Action, webhook: String? = nil)
    case muteWanted(Bool)
    case holdWanted(Bool)
    case supervise(Leg.Supervised)
    case superviseNoMore
    /// `id`s are those of the streams.
    case streamStarted(StreamSettings)
    case streamRefused(id: String, RPCError)
    case streamUnwanted(id: String)
    case streamEnded(id: String)
    case due(Leg.TimerKind)
    case answerWanted
    /// To another flow, or to these actions.
    case redirected(flowID: String?, actions: [Action]?)
    /// The API has begun a recording of it.
    case recorded(id: String)
    /// There is no room for it.
    case admitted
    case overLimit(Leg.OverLimit)
}

/// What a leg wants done; performed in order, after its snapshot is safe.
enum LegEffect: Sendable {
    // SIP
    case respond(code: Int, body: String?)
    /// A provisional response with that RSeq, which wants a PRACK.
    case respondReliably(code: Int, body: String?, sequence: UInt32)
    case invite(branch: Int, body: String)
    case cancel(branch: Int)
    /// The 200 of a branch that lost: acknowledged and hung up at once.
    case dismiss(branch: Int)
    case acknowledge(branch: Int)
    case respondToRefer(code: Int)
    /// The phone is to call that URI instead of us.
    case refer(to: String)
    case referAgain(to: String)
    /// A text for the phone.
    case message(String)
    /// How far the transfer is, of the REFER with that CSeq.
    case notify(code: Int, id: UInt32)
    /// The last of them, before the transfer is over: the phone wants no more.
    case notifyLast(code: Int, id: UInt32)
    /// The last one that the phone has not acknowledged, as the same request.
    case notifyAgain
    /// To a re-INVITE, UPDATE or PRACK of the phone's.
    case respondToReinvite(code: Int, body: String?)
    case bye
    /// The INVITE once more, as a request of its own that asks for a longer session.
    case inviteLonger(branch: Int, body: String)
    case prack(branch: Int, tag: String, sequence: UInt32)
    case prackAgain(branch: Int, tag: String)
    /// A re-INVITE with that offer, or an UPDATE without one.
    case refresh(body: String?)
    case refreshAgain(body: String?)
    /// What a predecessor sent is sent again, under its name: to the phone it is the same request.
    case inviteAgain(branch: Int, body: String)
    case byeAgain
    case reinviteAgain(session: Int, body: String)

    // Services
    case resolve(number: String)
    case findBindings(number: String)
    case createMedia(offer: String?)
    /// `profile`: which of our offers it answers.
    case updateMedia(UpdateMediaSession.Kind, remote: String, profile: MediaProfile?)
    /// Another first offer beside the one there is; with a family, in place of it.
    case offerMedia(MediaProfile, AddressFamily?)
    /// An answer that the final one may replace.
    case hearEarly(remote: String, profile: MediaProfile?)
    case link(InsideEndpoint, seat: Int)
    case deleteMedia
    /// Relay and room are told who owns the call now.
    case ownMedia
    case ownSeat
    /// A session at another relay, whose offer goes on with what the phone was told last.
    case createElsewhere(relay: String, session: Int, continuing: String)
    case deleteElsewhere(relay: String, sessionID: String)
    /// The offer of that session, within the dialog.
    case reinvite(session: Int, body: String)
    /// The leg's new session speaks to the seat it has, and the seat to it.
    case relink(InsideEndpoint)
    case pointSeat(InsideEndpoint)
    case join(Leg.Seat)
    case leave(roomID: String, participantID: String, instance: String)
    case play(playID: String, [PlaySource], loop: Bool, stopOnDigit: Bool)
    case stopPlay(playID: String)
    case startRecording(id: String, RecordingTerms, step: Int)
    case stopRecordings(step: Int)
    case stopRecording(id: String, step: Int)
    case listen(Watch)
    case stopListening(watchID: String)
    /// A key of the phone, to go the way of its other keys.
    case pressKey(String, duration: Int)
    /// Candidates of the phone's, for its session.
    case trickle(String)
    case setParticipant(muted: Bool?, echo: Bool?)
    /// Whether it is heard and hears.
    case hush(muted: Bool, deaf: Bool)
    /// Whether what it presses is a secret.
    case hideKeys(Bool)
    /// Of that step of its run.
    case sendDigits(String, duration: Int, interval: Int, runID: String, step: Int)
    case startStream(StreamSettings)
    case stopStream(id: String)
    case startRun
    case advance(runID: String, step: Int, Outcome)
    /// A run that the leg has left is told so; nobody waits for its answer.
    case leaveRun(runID: String, step: Int)
    case watchRun(runID: String)

    // Other legs
    case askPeer(String, step: Int)
    /// Why that call has ended is wanted.
    case copyCause(of: String)
    case tellPeer(String, MeetCall.Change)
    /// This call ends with that one, which is told so; that one ends with this.
    case attach(to: String)
    case releaseChained(String)
    case createChild(ChildOrder)
    case tellParent(LegEvent)
    case tellChild(String, LegEvent)

    /// Whether other legs, or who reads events, rely on what this one has become by it: it is written at once, and nothing waits for that. An event
    /// is in PostgreSQL no sooner than its number is in Redis, so a successor gives that to no other; FlowManager is no further than one step ahead of what
    /// is written; and whom a phone has refused is not rung again.
    var isReliedOn: Bool {
        switch self {
        case .publish, .advance, .createChild, .rename, .tellParent(.childEnded), .tellParent(.placeTaken), .tellChild(_, .replaced), .tellChild(_, .partnerGoesElsewhere), .tellChild(_, .inherited): true
        default: false
        }
    }

    /// Whether a phone sees it: such an effect waits for the leg's snapshot.
    var isVisibleOutside: Bool {
        switch self {
        case .respond, .invite, .cancel, .dismiss, .acknowledge, .respondToReinvite, .bye, .reinvite, .inviteAgain, .byeAgain,
            .reinviteAgain, .respondReliably, .inviteLonger, .prack, .prackAgain, .refresh, .refreshAgain, .respondToRefer,
            .notify, .notifyLast, .notifyAgain, .refer, .referAgain, .message: true
        case .recount: false
        case .resolve, .findBindings, .createMedia, .updateMedia, .offerMedia, .hearEarly, .link, .deleteMedia, .ownMedia, .ownSeat, .createElsewhere, .deleteElsewhere, .relink,
            .pointSeat, .pressKey, .trickle, .join, .leave, .play, .stopPlay, .startRecording, .stopRecordings, .stopRecording, .listen, .stopListening, .setParticipant, .hush, .hideKeys,
            .sendDigits, .startStream, .stopStream, .startRun, .advance, .leaveRun, .watchRun, .askPeer, .copyCause, .tellPeer, .attach, .releaseChained, .createChild, .tellParent,
            .tellChild, .publish, .keepRecord, .forget, .rename: false
        }
    }

    /// Whether a phone may as well see it twice: a successor that does not know of it says it again, in the same dialog. A call that rings waits for no
    /// snapshot to say so.
    var isRepeatable: Bool {
        if case .respond(101..<200, nil) = self { true } else { false }
    }

    /// An event of the call for the API, the log and the outbox; the record as it was then, and what it was.
    case publish(type: String, Call, sequence: Int64, at: Timestamp, with: [String: JSONValue])
    /// The record as it is now, for who reads it: no event of its own, and the number of the last.
    case keepRecord(Call, sequence: Int64)
    /// Its call has another first leg: what names it says so.
    case rename
    /// It counts as something else where calls are limited.
    case recount
    /// Everything is done: the snapshot and the lease may go.
    case forget
}
