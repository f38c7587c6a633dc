import Contracts
import Deadlines
import Flow

/// What can happen to a leg.
enum LegEvent: Sendable {
    // From SIP, inbound leg.
    case invited(offer: String?, number: String)
    case canceled
    /// The phone took a re-INVITE back; it has its 487.
    case reinviteCanceled
    // From SIP, outbound leg; `branch` numbers the target.
    case rang(branch: Int)
    case accepted(branch: Int, answer: String?)
    case refused(branch: Int, code: Int)
    // From SIP, both.
    case byed
    case reinvited(offer: String?)
    /// The phone told of a key in an INFO; for so many ms.
    case keyInMessage(String, duration: Int)
    /// An ACK that carries the answer to an offer of ours.
    case answeredInAck(String)
    /// No ACK came for our 200, or a request of ours found the dialog gone.
    case dialogLost

    // From the services.
    case resolved(flowID: String?, defaultActions: [Action])
    case unresolved(RPCError)
    case found([ReachableBinding])
    case notFound(RPCError)
    case mediaCreated(CreateMediaSession.Reply)
    /// Our offer in that form.
    case mediaOffered(String, MediaProfile)
    case mediaOfferFailed(RPCError)
    case mediaFailed(RPCError)
    /// The relay takes no session, as the error says; that one might.
    case mediaRefused(RPCError, offer: String?, other: String)
    case mediaUpdated(UpdateMediaSession.Reply, kind: UpdateMediaSession.Kind)
    case mediaUpdateFailed(RPCError, kind: UpdateMediaSession.Kind)
    case mediaDeleted(MediaStatistics?)
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
    case digit(String)
    /// One that the room did not hear.
    case digitPastRoom(String)
    /// What the room heard of what it was asked to listen for.
    case heard(watchID: String, Finding)
    /// Nil: nothing more is to be listened for.
    case listenWanted(Watch?)
    /// Nil: the transcription is to end.
    case transcriptionWanted(Transcription?)
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
    case childRang(String)
    case childAnswered(String)
    case childEnded(String, Leg.Status, Call.Status)
    case parentEnded

    // From the API and the clock.
    case hangUp(cause: Int)
    case supervise(Leg.Supervised)
    case superviseNoMore
    /// `id`s are those of the streams.
    case streamStarted(StreamSettings)
    case streamRefused(id: String, RPCError)
    case streamUnwanted(id: String)
    case streamEnded(id: String)
    case due(Leg.TimerKind)
}

/// What a leg wants done; performed in order, after its snapshot is safe.
enum LegEffect: Sendable {
    // SIP
    case respond(code: Int, body: String?)
    case invite(branch: Int, body: String)
    case cancel(branch: Int)
    /// The 200 of a branch that lost: acknowledged and hung up at once.
    case dismiss(branch: Int)
    case acknowledge(branch: Int)
    case respondToReinvite(code: Int, body: String?)
    case bye

    // Services
    case resolve(number: String)
    case findBindings(number: String)
    case createMedia(offer: String?)
    /// `profile`: which of our offers it answers.
    case updateMedia(UpdateMediaSession.Kind, remote: String, profile: MediaProfile?)
    /// Another first offer beside the one there is; with a family, in place of it.
    case offerMedia(MediaProfile, AddressFamily?)
    case link(InsideEndpoint, seat: Int)
    case deleteMedia
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
    case listen(Watch)
    case stopListening(watchID: String)
    /// A key of the phone, to go the way of its other keys.
    case pressKey(String, duration: Int)
    case setParticipant(muted: Bool?, echo: Bool?)
    case sendDigits(String, duration: Int, interval: Int)
    case startStream(StreamSettings)
    case stopStream(id: String)
    case startRun
    case advance(runID: String, step: Int, Outcome)

    // Other legs
    case dialChild(ChildOrder)
    case createChild(id: String, number: String, callerNumber: String, callerName: String)
    case tellParent(LegEvent)
    case tellChild(String, LegEvent)

    /// Whether a phone sees it: such an effect waits for the leg's snapshot.
    var isVisibleOutside: Bool {
        switch self {
        case .respond, .invite, .cancel, .dismiss, .acknowledge, .respondToReinvite, .bye, .reinvite: true
        case .resolve, .findBindings, .createMedia, .updateMedia, .offerMedia, .link, .deleteMedia, .createElsewhere, .deleteElsewhere, .relink,
            .pointSeat, .pressKey, .join, .leave, .play, .stopPlay, .startRecording, .stopRecordings, .listen, .stopListening, .setParticipant,
            .sendDigits, .startStream, .stopStream, .startRun, .advance, .createChild, .dialChild, .tellParent, .tellChild, .publish, .forget: false
        }
    }

    /// An event of the call for the API, the log and the outbox; the record as it was then, and what it was.
    case publish(type: String, Call, sequence: Int64, with: [String: JSONValue])
    /// Everything is done: the snapshot and the lease may go.
    case forget
}
