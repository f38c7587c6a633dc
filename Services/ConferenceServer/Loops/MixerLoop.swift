import Addresses
import Contracts
import Datagrams
import Deadlines
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

    nonisolated let loop: EventLoop
    /// Where relays send what they have for us.
    nonisolated let address: SocketAddress
    /// Participants, for the load that is announced.
    nonisolated let seatCount = Atomic<Int>(0)

    private var mixer: Mixer
    private var outgoing: LoopOutgoing
    private var inbox = ReceiveBatch(capacity: 64, size: 2048)
    /// Nil while nobody is here.
    private var nextBeat: Instant?
    private var beats = 0
    private var published = MediaMetrics.Totals()
    private var isStopped = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(name: String, address: IPAddress, seed: UInt64, largestRoom: Int, onEvent: @escaping @Sendable (MixerEvent) -> Void)
        throws(SocketError)
    {
        let socket = try DatagramSocket(bind: SocketAddress(address, port: 0), receiveBuffer: 4 << 20)
        self.address = socket.localAddress
        loop = EventLoop(name: name)
        mixer = Mixer(seed: seed, largestRoom: largestRoom)
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
        _ rules: MeetingRules? = nil
    ) throws(RPCError) -> InsideEndpoint {
        let ssrc =
            if let rules {
                try mixer.join(identity, settings, relay: relay, at: time, rules)
            } else {
                try mixer.join(identity, settings, relay: relay, at: time)
            }
        seatsChanged()
        return InsideEndpoint(address: address.description, ssrc: ssrc)
    }

    func leave(room: String, participant: String, epoch: UInt64 = .max) throws(RPCError) -> Departure? {
        let departure = try mixer.leave(room: room, participant: participant, epoch: epoch)
        seatsChanged()
        return departure
    }

    func set(
        room: String, participant: String, muted: Bool? = nil, deaf: Bool? = nil, echo: Bool? = nil
    ) throws(RPCError) {
        try mixer.set(room: room, participant: participant, muted: muted, deaf: deaf, echo: echo)
    }

    func point(room: String, participant: String, at inside: InsideEndpoint, _ relay: SocketAddress) throws(RPCError) {
        try mixer.point(room: room, participant: participant, at: inside, relay)
    }

    /// False when this play had begun before.
    func play(_ request: PlayInRoom) throws(RPCError) -> Bool { try mixer.play(request, into: &outgoing) }

    func control(_ command: ControlPlay) throws(RPCError) -> PlayState { try mixer.control(command) }

    /// Whose room it is; nil when it is no more.
    func customer(of room: String) -> String? { mixer.roomIndex[room].map { mixer.rooms[$0].identity.customerID } }

    /// False when the play is over, so that nothing more needs to be rendered for it.
    func extend(play: String, room: String, with piece: Play.Piece) throws(SoundProblem) -> Bool {
        try mixer.extend(play: play, room: room, with: piece)
    }

    func complete(play: String, room: String) { mixer.complete(play: play, room: room) }

    func end(play: String, room: String, _ end: Play.End) { _ = mixer.end(play: play, room: room, end, into: &outgoing) }

    func send(digits: String, duration: Int, interval: Int, room: String, participant: String) throws(RPCError) {
        try mixer.send(digits: digits, duration: duration, interval: interval, room: room, participant: participant)
    }

    func silentSeats(for silence: Interval) -> [SilentSeat] { mixer.silentSeats(for: silence) }

    /// Nil when the seat was left, taken over or heard meanwhile.
    func free(_ seat: SilentSeat, after silence: Interval) -> Departure? {
        let departure = mixer.free(seat, after: silence)
        seatsChanged()
        return departure
    }

    /// False when no conference meets there.
    func control(_ action: ControlConference.Action, room: String, _ rules: MeetingRules? = nil) -> Bool {
        let isThere = mixer.control(action, room: room, rules)
        seatsChanged()
        return isThere
    }

    func moderate(_ participant: String, room: String, _ change: Moderation) throws(RPCError) {
        try mixer.moderate(participant, room: room, change)
        tellNews()
    }

    func snapshot(of room: String) -> RoomSnapshot? { mixer.snapshot(of: room) }

    func roomIDs() -> [String] { mixer.rooms.map(\.identity.id) }

    // MARK: The beat

    private func tellNews() {
        for item in mixer.takeNews() { outgoing.report(.conference(item)) }
        for expulsion in mixer.takeExpulsions() { outgoing.report(.expelled(expulsion)) }
    }

    private func seatsChanged() {
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
            due = due + Self.tick * missed
        }
        beats += 1
        if beats % Self.beatsPerTick == 0 {
            mixer.tick(into: &outgoing)
            if mixer.hasNews { seatsChanged() }
            MediaMetrics.lateness.observe(nanoseconds: UInt64(max(0, late.nanoseconds)))
        }
        outgoing.flush()
        if beats % (Self.beatsPerTick * 50) == 0 { publishMetrics() }
        if mixer.seatCount > 0 { schedule(due + Self.beat) } else { fallAsleep() }
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
