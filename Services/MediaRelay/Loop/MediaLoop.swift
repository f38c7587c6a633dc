import Addresses
import Contracts
import Datagrams
import Deadlines
import FastPath
import FoundationEssentials
import ICE
import MediaSession
import RTP
import Threads

/// One media thread: its inside socket, its sessions, and every packet of theirs from receive to send.
///
/// An actor that lives on an event loop: commands reach it as letters between two batches of packets; packets are handled in
/// the callbacks of its descriptors, with no lock, no task and no allocation.
actor MediaLoop {
    /// Sessions are looked after in this many groups, one after the other, each once a second.
    private static let groups = 20
    private static let sweepPause = Interval.milliseconds(1000 / groups)

    nonisolated let loop: EventLoop
    nonisolated let insideAddress: SocketAddress
    let settings: RelaySettings
    let occupancy: Occupancy
    let events: SessionEvents
    let security: Security
    let recorder: Recorder?
    /// Nil: every packet comes to its socket.
    let fastPath: FastPath?
    var routes: Routes?
    var isAskingForRoutes = false
    /// Towards the recorder, once there is something to record.
    var ring: RecordRing?

    let index: Int
    /// Nil: nobody goes on with our sessions.
    let custody: Custody?
    let inside: DatagramSocket
    /// Sessions of the worker before us, until it is our turn.
    var heirs: [String: Heir] = [:]
    /// The same, not made ready yet.
    var fresh: [String: Fresh] = [:]
    var isPreparing = false
    /// What the kernel goes on with of them.
    var legacyPath: FastPath.Legacy?
    var legs: SlotTable<Leg>
    var names: [String: UInt32] = [:]
    var tombstones = Tombstones()
    var ports: PortPool
    var traffic = Traffic()

    // Memory of the packets under way.
    var fromRooms = ReceiveBatch(capacity: 64)
    var fromPhone = ReceiveBatch(capacity: 1)
    var packets = PacketBuffer()
    /// What those of one leg become for its peer.
    var linked = PacketBuffer()
    /// Calls that were asked for over `ng`.
    var calls = CallTable()
    var strays = StrayFragments()
    var toRooms = SendBatch(capacity: 64)
    private var group = 0
    private var phones: EventLoop.Reader?
    private var footprints = Footprints()

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// Opens the inside socket of thread `index`.
    init(
        index: Int, settings: RelaySettings, security: Security, occupancy: Occupancy, events: SessionEvents, recorder: Recorder? = nil,
        custody: Custody? = nil, fastPath: FastPath? = nil
    ) throws(SocketError) {
        (self.recorder, self.fastPath) = (recorder, fastPath)
        routes = fastPath == nil ? nil : Routes()
        loop = EventLoop(name: "media-\(index)", priority: settings.priority)
        (self.index, self.custody) = (index, custody)
        if let inherited = custody?.thread.inside?.duplicate(), let socket = DatagramSocket(adopting: inherited) {
            inside = socket
        } else {
            inside = try DatagramSocket(bind: SocketAddress(settings.inside, port: 0), receiveBuffer: 1 << 22)
        }
        insideAddress = inside.localAddress
        legs = SlotTable(seed: .random(in: .min ... .max))
        ports = PortPool(range: settings.ports, share: index, of: settings.threads, start: .random(in: .min ... .max))
        (self.settings, self.security, self.occupancy, self.events) = (settings, security, occupancy, events)
    }

    nonisolated func start() {
        post { $0.open() }
        loop.start()
    }

    var insideDescriptor: Int32 { inside.descriptor }

    /// Runs `work` on the media thread.
    nonisolated func post(_ work: @escaping @Sendable (isolated MediaLoop) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    func open() {
        loop.watch(inside.descriptor, .read) { [unowned self] _ in readInside() }
        loop.afterEachBatch { [unowned self] in flush() }
        loop.moderate(settings.moderation)
        watchRoutes()
        scheduleSweep()
    }

    // MARK: Packets

    /// Called for each readable RTP socket; what is left in it makes it readable again.
    func readPhone(_ name: UInt32, isSecond: Bool = false) {
        legs.with(name) { read($0, isSecond: isSecond) }
    }

    private func read(_ leg: Leg, isSecond: Bool) {
        guard leg.receive(into: &fromPhone, isSecond: isSecond) else { return }
        loop.handled(1)
        if leg.tap != nil { Self.tapArrived(leg, fromPhone, fromPhone[0].bytes.count, isOpened: false, on: leg.port, now: loop.now) }
        if let peer = leg.peer {
            return unsafe Unmanaged.passUnretained(peer)._withUnsafeGuaranteedRef { passOn(leg, to: $0) }
        }
        guard let rtp = isSecond ? leg.second : leg.rtp else { return }
        guard leg.session.transport != nil else {
            Self.forward(
                fromPhone, fromPhone[0].bytes.count, of: leg, on: rtp, now: loop.now, packets: &packets, toRooms: &toRooms,
                traffic: &traffic, inside: inside, shelf: custody?.shelf)
            follow(leg)
            return
        }
        guard let count = open(leg) else { return }
        if leg.tap != nil { Self.tapArrived(leg, fromPhone, count, isOpened: true, on: leg.port, now: loop.now) }
        Self.forward(
            fromPhone, count, of: leg, on: rtp, now: loop.now, packets: &packets, toRooms: &toRooms, traffic: &traffic, inside: inside,
            shelf: custody?.shelf)
        follow(leg)
    }

    /// What a packet of the phone may have brought about: something that is due later, a key to be told.
    func follow(_ leg: Leg) {
        if leg.session.hasDeadlines { schedule(leg) }
        if leg.session.hasToldDigits { tellDigits(leg) }
        if leg.keys != nil { tellKeys(of: leg) }
    }

    /// How long the packet is that came protected; nil when it was none.
    func open(_ leg: Leg) -> Int? {
        let (source, length) = (fromPhone[0].source, fromPhone[0].bytes.count)
        var bytes = fromPhone.mutableBytes(at: 0)
        return taken(leg.session.open(&bytes, count: length, from: source, now: loop.now), leg)
    }

    /// The same for the port of RTCP.
    private func openControl(_ leg: Leg) -> Int? {
        let (source, length) = (fromPhone[0].source, fromPhone[0].bytes.count)
        var bytes = fromPhone.mutableBytes(at: 0)
        return taken(leg.session.openControl(&bytes, count: length, from: source, now: loop.now), leg)
    }

    private func taken(_ received: MediaTransport.Received, _ leg: Leg) -> Int? {
        if received == .consumed { keepTransport(leg) }
        tend(leg)
        switch received {
        case .sound(let count), .control(let count): return count
        case .consumed: return nil
        case .dropped(let reason):
            traffic.count(reason)
            return nil
        }
    }

    /// The first `count` bytes of what came.
    private static func forward(
        _ batch: borrowing ReceiveBatch, _ count: Int, of leg: Leg, on rtp: OutsideSocket, now: Instant, packets: inout PacketBuffer,
        toRooms: inout SendBatch, traffic: inout Traffic, inside: borrowing DatagramSocket, shelf: Shelf?
    ) {
        let datagram = batch[0]
        let bytes = datagram.bytes.extracting(0..<count)
        guard !Header.isControlPacket(bytes) else {
            traffic.controlPackets += 1
            leg.session.controlPacket(bytes, from: datagram.source, now: now, ntpTime: NTP.now())
            return
        }
        packets.removeAll()
        let verdict = leg.session.outsidePacket(bytes, from: datagram.source, now: now, into: &packets)
        traffic.countPhones(verdict)
        if !rtp.isConnected, !leg.session.hasChecks, let source = leg.session.latch.locked { rtp.connect(to: source.address) }
        guard packets.count > 0, let room = leg.session.room else { return }
        if leg.keys != nil { noteKeys(of: leg, in: packets) }
        if let shelf { note(leg, on: shelf, now: now) }
        for number in 0..<packets.count {
            if let tap = leg.tap { tap.sound(packets[number], .said, now: now) }
            append(packets[number], to: room, &toRooms, inside, &traffic, shelf)
        }
    }

    /// A transcoder's time has come without a packet.
    func goOn(_ leg: Leg) {
        if let peer = leg.peer { return goOn(leg, peer) }
        Self.goOn(leg, now: loop.now, packets: &packets, toRooms: &toRooms, traffic: &traffic, inside: inside, shelf: custody?.shelf)
        if leg.keys != nil { tellKeys(of: leg) }
    }

    private static func goOn(
        _ leg: Leg, now: Instant, packets: inout PacketBuffer, toRooms: inout SendBatch, traffic: inout Traffic,
        inside: borrowing DatagramSocket, shelf: Shelf?
    ) {
        packets.removeAll()
        leg.session.expireDigits(now: now, into: &packets)
        leg.session.expireInward(now: now, into: &packets)
        if let shelf, packets.count > 0 { note(leg, on: shelf, now: now) }
        if let room = leg.session.room {
            if leg.keys != nil { noteKeys(of: leg, in: packets) }
            for number in 0..<packets.count {
                if let tap = leg.tap { tap.sound(packets[number], .said, now: now) }
                append(packets[number], to: room, &toRooms, inside, &traffic, shelf)
            }
        }
        packets.removeAll()
        leg.session.expireOutward(now: now, into: &packets)
        guard let destination = leg.session.destination, let rtp = leg.socket(to: destination) else { return }
        for number in 0..<packets.count {
            if leg.tap != nil { Self.tapLeaving(leg, packets[number], isSealed: false, now: now) }
            guard leg.session.seal(&packets, number) else { continue }
            if leg.tap != nil { Self.tapLeaving(leg, packets[number], isSealed: true, now: now) }
            if let shelf { note(leg, on: shelf, now: now) }
            if rtp.send(packets[number], to: destination) != .sent { traffic.notSent += 1 }
        }
    }

    private func readControl(_ name: UInt32) {
        guard let leg = legs[name], leg.rtcp.socket.receive(into: &fromPhone, limit: 1) > 0 else { return }
        traffic.controlPackets += 1
        if leg.tap != nil { Self.tapArrived(leg, fromPhone, fromPhone[0].bytes.count, isOpened: false, on: leg.port + 1, now: loop.now) }
        let isPlain = leg.session.transport == nil
        // Checks and handshakes belong to the port of RTP, unless this one has its own; sound never belongs here.
        let kind = isPlain ? .rtcp : Multiplexed(fromPhone[0].bytes)
        guard kind == .rtcp || kind != .rtp && leg.session.controlTransport != nil else { return traffic.count(.foreign) }
        let count = isPlain ? fromPhone[0].bytes.count : openControl(leg)
        if !isPlain, let count, leg.tap != nil { Self.tapArrived(leg, fromPhone, count, isOpened: true, on: leg.port + 1, now: loop.now) }
        if let count, let peer = leg.peer { return passControl(count, of: leg, to: peer) }
        if let count { Self.takeControl(fromPhone, count, of: leg, now: loop.now) }
    }

    private static func takeControl(_ batch: borrowing ReceiveBatch, _ count: Int, of leg: Leg, now: Instant) {
        let datagram = batch[0]
        leg.session.controlPacket(datagram.bytes.extracting(0..<count), from: datagram.source, now: now, ntpTime: NTP.now())
    }

    // MARK: Sessions

    /// The session's sockets are read from now on.
    func watch(_ leg: Leg) {
        watchPhone(leg)
        watchControl(leg)
    }

    func watchControl(_ leg: Leg) {
        let name = leg.insideSSRC
        loop.watch(leg.rtcp.socket.descriptor, .read) { [unowned self] _ in readControl(name) }
    }

    func watchPhone(_ leg: Leg) {
        guard let rtp = leg.rtp else { return }
        loop.watch(rtp.socket.descriptor, .read, reader(), tag: leg.insideSSRC)
        footprints.note(leg)
    }

    /// Of the ports of RTP.
    private func reader() -> EventLoop.Reader {
        if let phones { return phones }
        let reader = EventLoop.Reader(
            // Both live as long as the thread.
            expect: { [unowned(unsafe) self] name in unsafe footprints.fetch(name) },
            ready: { [unowned(unsafe) self] name, _ in unsafe readPhone(name) })
        phones = reader
        return reader
    }

    /// The phone may send from elsewhere after an offer/answer, and a connected socket would not hear it.
    func reopen(_ leg: Leg) throws(SocketError) { try leg.rtp?.disconnect() }

    /// The last of a session: a goodbye to the phone, its ports to rest.
    func close(_ leg: Leg) {
        attend(leg)
        unlink(leg)
        if leg.session.plan?.isTransparent == false { sendReport(leg, isLast: true) }
        defer { endTaps(of: leg) }
        if leg.session.transport != nil {
            leg.session.transport?.close()
            leg.session.controlTransport?.close()
            tend(leg)
        }
        if let rtp = leg.rtp { loop.unwatch(rtp.socket.descriptor) }
        closeSecond(leg)
        loop.unwatch(leg.rtcp.socket.descriptor)
        names[leg.id] = nil
        ports.giveBack(leg.port, now: loop.now)
        bury(leg)
        occupancy.remove()
        events.ended(record(leg), leg.session.statistics)
        legs.remove(leg.insideSSRC)
    }

    // MARK: Upkeep

    private func scheduleSweep() {
        loop.schedule(at: loop.now + Self.sweepPause) { [unowned self] in
            sweep()
            scheduleSweep()
        }
    }

    private func sweep() {
        let now = loop.now
        for index in stride(from: group, to: legs.end, by: Self.groups) {
            if let leg = legs[place: index] { lookAfter(leg, now: now) }
        }
        group = (group + 1) % Self.groups
        traffic.publish()
        forgetStones()
    }

    private func lookAfter(_ leg: Leg, now: Instant) {
        footprints.note(leg)
        followFastPath(leg)
        if leg.isOfNG { return lookAfterNG(leg, now: now) }
        if now >= leg.nextReportAt, leg.session.plan != nil {
            leg.nextReportAt = now + reportPause(isFirst: false)
            sendReport(leg, isLast: false)
        }
        if now >= leg.nextSnapshotAt { publish(leg) }
        switch leg.silence.check(leg.session.silence(now: now), hasEverHeard: leg.session.statistics.outsideIn > 0) {
        case .none: break
        case .tell: events.silent(MediaTimedOut(callID: leg.callID, sessionID: leg.id), leg.owner)
        case .end: close(leg)
        }
    }

    /// A command has changed the session: the keeper knows before the reply leaves.
    func save(_ leg: Leg) {
        keep(leg)
        publish(leg)
    }

    private func publish(_ leg: Leg) {
        leg.nextSnapshotAt = loop.now + .seconds(15)
        events.changed(record(leg))
    }

    /// Of all sessions.
    var records: [SessionRecord] { (0..<legs.end).compactMap { legs[place: $0].map(record) } }

    func record(_ leg: Leg) -> SessionRecord { leg.record(insideAddress: insideAddress) }

    /// Redis is back, perhaps empty: every snapshot is written again within the next second.
    func saveAllSoon() {
        for index in 0..<legs.end { legs[place: index]?.nextSnapshotAt = loop.now }
    }

    func reportPause(isFirst: Bool) -> Interval {
        ReportInterval.pause(minimum: settings.preferences.reportInterval, isFirst: isFirst, random: .random(in: 0..<1))
    }

    func sendReport(_ leg: Leg, isLast: Bool) {
        followFastPath(leg)
        if let peer = leg.peer { followFastPath(peer) }
        guard let destination = leg.session.controlDestination,
            let report = leg.session.report(now: loop.now, ntpTime: NTP.now(), canonicalName: leg.canonicalName, isLast: isLast),
            let packet = leg.session.sealed(control: report)
        else { return }
        // RFC 5761: on one port when both sides agreed to it.
        note(leg)
        let isShared = leg.session.plan?.isOnOnePort ?? false
        if leg.tap != nil { tapReport(leg, report, packet, to: destination, isShared: isShared) }
        let outcome = isShared ? leg.socket(to: destination)?.send(packet.span, to: destination) : leg.rtcp.send(packet.span, to: destination)
        if outcome != .sent { traffic.notSent += 1 }
    }
}
