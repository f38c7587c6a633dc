import Addresses
import Contracts
import Datagrams
import Deadlines
import FoundationEssentials
import RTP
import Synchronization
import Threads

/// One media thread: an event loop with its inside socket and the rooms that live on it.
///
/// The mixer needs packets at its tick only, so the socket is not watched but read on a beat of 5 ms: a busy loop wakes
/// 200 times a second whatever it carries, and one without participants sleeps. Ticks keep an absolute schedule.
actor MixerLoop {
    static let beat = Interval.milliseconds(5)
    static let beatsPerTick = 4
    static let tick = beat * beatsPerTick
    /// A thread that stood still this long does not send what nobody needs any more.
    private static let longestCatchUp = Interval.milliseconds(100)
    /// After so long without a word an instance is thought dead (DESIGN §4).
    private static let death = Interval.seconds(1)

    nonisolated let loop: EventLoop
    /// Where relays send what they have for us.
    nonisolated let address: SocketAddress
    /// Participants, for the load that is announced.
    nonisolated let seatCount = Atomic<Int>(0)

    /// Nil: nobody goes on with our rooms.
    let custody: RoomCustody?
    /// Of the worker before us, until it is our turn.
    var heirs = Heirs()
    var mixer: Mixer
    var outgoing: LoopOutgoing
    private var inbox = ReceiveBatch(capacity: 64, size: 2048)
    /// Nil while nobody is here.
    private var nextBeat: Instant?
    private var beats = 0
    private var published = MediaMetrics.Totals()
    private var isStopped = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(
        name: String, priority: Int = 0, address: IPAddress, seed: UInt64, largestRoom: Int, linksPairs: Bool = false, custody: RoomCustody? = nil,
        onEvent: @escaping @Sendable (MixerEvent) -> Void
    ) throws(SocketError) {
        let socket: DatagramSocket
        if let inherited = custody?.socket {
            socket = inherited
        } else {
            socket = try DatagramSocket(bind: SocketAddress(address, port: 0), receiveBuffer: 4 << 20)
        }
        self.address = socket.localAddress
        self.custody = custody
        loop = EventLoop(name: name, priority: priority)
        mixer = Mixer(seed: seed, largestRoom: largestRoom)
        mixer.linksPairs = linksPairs
        outgoing = LoopOutgoing(socket: socket, onEvent: onEvent)
        loop.start()
    }

    nonisolated func stop() { loop.stop() }

    /// Runs `work` on the loop, after everything posted before.
    nonisolated func post(_ work: @escaping @Sendable (isolated MixerLoop) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    // MARK: Commands

    /// `rules` when the room is a conference's.
    func join(
        _ identity: RoomIdentity, _ settings: ParticipantSettings, relay: SocketAddress, at time: Contracts.Timestamp,
        _ rules: MeetingRules? = nil, isOwnershipOnly: Bool = false
    ) throws(RPCError) -> InsideEndpoint {
        let ssrc =
            if let rules {
                try mixer.join(identity, settings, relay: relay, at: time, rules)
            } else {
                try mixer.join(identity, settings, relay: relay, at: time, isOwnershipOnly: isOwnershipOnly)
            }
        seatsChanged()
        depositChanges()
        return InsideEndpoint(address: address.description, ssrc: ssrc)
    }

    func leave(room: String, participant: String, epoch: UInt64 = .max) throws(RPCError) -> Departure? {
        let departure = try mixer.leave(room: room, participant: participant, epoch: epoch)
        seatsChanged()
        depositChanges()
        return departure
    }

    func set(
        room: String, participant: String, muted: Bool? = nil, deaf: Bool? = nil, echo: Bool? = nil, hidesKeys: Bool? = nil,
        direction: DirectionChange? = nil
    ) throws(RPCError) {
        try mixer.set(room: room, participant: participant, muted: muted, deaf: deaf, echo: echo, hidesKeys: hidesKeys)
        if let direction { try mixer.direct(participant, room: room, direction) }
        depositChanges()
    }

    func point(
        room: String, participant: String, at inside: InsideEndpoint, _ relay: SocketAddress, of carrier: (relay: String?, session: String?)
    ) throws(RPCError) {
        try mixer.point(room: room, participant: participant, at: inside, relay, of: carrier)
        depositChanges()
    }

    /// False when this play had begun before.
    func play(_ request: PlayInRoom) throws(RPCError) -> Bool {
        defer { depositChanges() }
        return try mixer.play(request, into: &outgoing)
    }

    func control(_ command: ControlPlay) throws(RPCError) -> PlayState {
        defer { depositChanges() }
        return try mixer.control(command)
    }

    /// Whose room it is; nil when it is no more.
    func customer(of room: String) -> String? { mixer.roomIndex[room].map { mixer.rooms[$0].identity.customerID } }

    /// False when the play is over, so that nothing more needs to be rendered for it.
    func extend(play: String, room: String, with piece: Play.Piece) throws(SoundProblem) -> Bool {
        try mixer.extend(play: play, room: room, with: piece)
    }

    func complete(play: String, room: String) { mixer.complete(play: play, room: room) }

    func end(play: String, room: String, _ end: Play.End) {
        _ = mixer.end(play: play, room: room, end, into: &outgoing)
        depositChanges()
    }

    func send(digits: String, duration: Int, interval: Int, room: String, participant: String) throws(RPCError) {
        try mixer.send(digits: digits, duration: duration, interval: interval, room: room, participant: participant)
        depositChanges()
    }

    func listen(_ command: ListenInRoom, _ tap: TranscriptionTap? = nil) throws(RPCError) { try mixer.listen(command, tap) }

    /// Nil when there is no such participant.
    func settings(of participant: String, in room: String) -> ParticipantSettings? {
        mixer.slot(of: participant, in: room).map { mixer.seats[$0].settings }
    }

    func stopListening(_ command: StopListening) { mixer.stopListening(command) }

    /// False when it sits there already.
    func seat(_ request: StartStream, _ line: StreamLine, at time: Contracts.Timestamp) throws(RPCError) -> Bool {
        let isNew = try mixer.seat(request, line, at: time)
        seatsChanged()
        return isNew
    }

    func unseat(stream id: String, room: String, customer: String, _ end: StreamLine.End) -> Bool {
        let departure = mixer.unseat(stream: id, room: room, customer: customer, end)
        seatsChanged()
        return departure != nil
    }

    func silentSeats(for silence: Interval) -> [SilentSeat] { mixer.silentSeats(for: silence) }

    /// Nil when the seat was left, taken over or heard meanwhile.
    func free(_ seat: SilentSeat, after silence: Interval) -> Departure? {
        let departure = mixer.free(seat, after: silence)
        seatsChanged()
        depositChanges()
        return departure
    }

    /// False when no conference meets there.
    func control(_ action: ControlConference.Action, room: String, _ rules: MeetingRules? = nil) -> Bool {
        let isThere = mixer.control(action, room: room, rules)
        seatsChanged()
        depositChanges()
        return isThere
    }

    func moderate(_ participant: String, room: String, _ change: Moderation) throws(RPCError) {
        try mixer.moderate(participant, room: room, change)
        tellNews()
        depositChanges()
    }

    /// What was made of what a conference wants to say; nil: nothing could be.
    func spoken(_ order: SpokenOrder, _ samples: [Int16]?) { mixer.spoken(order, samples) }

    func begin(_ order: RoomTap.Order) throws(RPCError) { try mixer.begin(order) }

    func pause(tap number: UInt32, room: String, _ paused: Bool) { mixer.pause(tap: number, room: room, paused) }

    func end(tap number: UInt32, room: String, _ reason: Recording.End) {
        mixer.end(tap: number, room: room, reason)
        tellNews()
    }

    func snapshot(of room: String) -> RoomSnapshot? { mixer.snapshot(of: room) }

    func snapshots(of rooms: [String]) -> [RoomSnapshot] { rooms.compactMap { mixer.snapshot(of: $0) } }

    func roomIDs() -> [String] { mixer.rooms.map(\.identity.id) }

    // MARK: The beat

    private func tellNews() {
        for item in mixer.takeNews() { outgoing.report(.conference(item)) }
        for expulsion in mixer.takeExpulsions() { outgoing.report(.expelled(expulsion)) }
        for order in mixer.takeSpokenOrders() { outgoing.report(.say(order)) }
        for end in mixer.takeTapEnds() { outgoing.report(.tapEnded(end)) }
    }

    func seatsChanged() {
        tellNews()
        seatCount.store(mixer.seatCount, ordering: .relaxed)
        if nextBeat == nil, mixer.seatCount > 0 {
            beats = 0
            schedule(loop.now + Self.beat)
        }
    }

    private func schedule(_ instant: Instant) {
        nextBeat = instant
        loop.schedule(at: instant) { [unowned self] in assumeIsolated { $0.beat() } }
    }

    private func beat() {
        guard var due = nextBeat else { return }
        receive()
        let late = loop.now - due
        if late > Self.longestCatchUp {
            let missed = Int(late.nanoseconds / Self.tick.nanoseconds)
            mixer.pass(ticks: missed)
            MediaMetrics.missedTicks.add(UInt64(missed))
            if late > Self.death { outgoing.report(.stoodStill) }
            due = due + Self.tick * missed
        }
        beats += 1
        if beats % Self.beatsPerTick == 0 {
            mixer.tick(into: &outgoing)
            if mixer.hasNews { seatsChanged() }
            depositChanges()
            if let custody { mixer.note(on: custody.shelf, due: due.nanoseconds) }
            MediaMetrics.lateness.observe(nanoseconds: UInt64(max(0, late.nanoseconds)))
        }
        outgoing.flush()
        if beats % (Self.beatsPerTick * 50) == 0 { publishMetrics() }
        if mixer.seatCount > 0 { schedule(due + Self.beat) } else { fallAsleep() }
    }

    /// The rooms of another process, whose last tick was due then: what phones have said since is heard as far as it is of use.
    func goOn(since due: Instant) {
        receive()
        let missed = Int((loop.now - due).nanoseconds / Self.tick.nanoseconds)
        if missed > 0 {
            mixer.pass(ticks: missed)
            MediaMetrics.missedTicks.add(UInt64(missed))
        }
        seatCount.store(mixer.seatCount, ordering: .relaxed)
        // The tick is due now.
        beats = Self.beatsPerTick - 1
        schedule(loop.now)
    }

    private func fallAsleep() {
        nextBeat = nil
        publishMetrics()
    }

    private func receive() {
        // Bounded, so that a flood cannot keep the tick from its time.
        for _ in 0..<64 {
            let count = outgoing.socket.receive(into: &inbox)
            for index in 0..<count { mixer.receive(inbox[index].bytes, into: &outgoing) }
            guard count == inbox.capacity else { return }
        }
    }

    private func publishMetrics() {
        let totals = MediaMetrics.Totals(mixer.counters, mixer.bufferCounters(), refused: outgoing.refused)
        MediaMetrics.add(totals, since: published)
        published = totals
    }
}
