import Addresses
import Contracts
import Datagrams
import Deadlines
import FoundationEssentials
import MediaSession
import Processes
import RTP
import SDP

// What a media thread does so that another process can go on with its sessions, and to go on with those of another.
extension MediaLoop {
    /// A session of the worker before us, while that one works.
    struct Heir {
        let record: LegRecord
        let plan: ForwardingPlan?
        /// RTP and RTCP.
        let sockets: [Descriptor]
    }

    private static func legKey(_ id: String) -> String { "leg/" + id }
    private static func stoneKey(_ id: String) -> String { "stone/" + id }

    // MARK: While we work

    /// Deposits all that does not change with every packet. Called before anything that depends on it can be seen outside.
    func keep(_ leg: Leg, withSockets: Bool = false) {
        guard let custody else { return }
        if withSockets { custody.shelf.clear(leg.insideSSRC) }
        let record = leg.legRecord
        leg.kept = record.transports
        guard let bytes = try? encoder.encode(record) else { return }
        let sockets = withSockets ? [leg.rtp?.socket.descriptor, leg.rtcp.socket.descriptor].compactMap(\.self) : []
        custody.link.keep(.work, Self.legKey(leg.id), Array(bytes), sockets)
        note(leg)
    }

    /// A check or a handshake may have changed what a successor must know.
    func keepTransport(_ leg: Leg) {
        guard custody != nil, leg.transports != leg.kept else { return }
        keep(leg)
    }

    /// Where the streams stand: before every packet that leaves.
    func note(_ leg: Leg) {
        guard let custody else { return }
        Self.note(leg, on: custody.shelf)
    }

    static func note(_ leg: Leg, on shelf: Shelf) {
        shelf.write(leg.session.position, of: leg.insideSSRC)
        guard leg.session.transport != nil else { return }
        var keys = MediaTransport.KeyPosition()
        if leg.session.write(keys: &keys) { shelf.write(keys, .rtp, of: leg.insideSSRC) }
        guard leg.session.controlTransport != nil else { return }
        keys = MediaTransport.KeyPosition()
        if leg.session.write(controlKeys: &keys) { shelf.write(keys, .rtcp, of: leg.insideSSRC) }
    }

    /// The session has ended, and is known to have.
    func bury(_ leg: Leg) {
        tombstones.bury(leg.id, .init(epoch: leg.epoch, statistics: leg.statistics), now: loop.now)
        guard let custody else { return }
        let stone = StoneRecord(epoch: leg.epoch, statistics: leg.statistics, until: (loop.now + Tombstones.lifetime).nanoseconds)
        if let bytes = try? encoder.encode(stone) { custody.link.keep(.fixture, Self.stoneKey(leg.id), Array(bytes)) }
        custody.link.remove(Self.legKey(leg.id))
    }

    func forgetStones() {
        for id in tombstones.expire(now: loop.now) { custody?.link.remove(Self.stoneKey(id)) }
    }

    func depositThread() {
        guard let custody else { return }
        Inheritance.deposit(custody.shelf, inside: insideDescriptor, of: index, with: custody.link)
    }

    /// There is a new keeper, who knows nothing.
    func depositAll() {
        guard let custody else { return }
        depositThread()
        for index in 0..<legs.end {
            guard let leg = legs[place: index] else { continue }
            let sockets = [leg.rtp?.socket.descriptor, leg.rtcp.socket.descriptor].compactMap(\.self)
            if let bytes = try? encoder.encode(leg.legRecord) { custody.link.keep(.work, Self.legKey(leg.id), Array(bytes), sockets) }
        }
        for (id, stone, until) in tombstones.all {
            let record = StoneRecord(epoch: stone.epoch, statistics: stone.statistics, until: until.nanoseconds)
            if let bytes = try? encoder.encode(record) { custody.link.keep(.fixture, Self.stoneKey(id), Array(bytes)) }
        }
    }

    // MARK: While we stand by

    /// Which thread a deposit is for, by the session in its key; nil when it is no session's.
    static func session(of key: String) -> String? {
        for prefix in ["leg/", "stone/"] where key.hasPrefix(prefix) { return String(key.dropFirst(prefix.count)) }
        return nil
    }

    func learn(_ key: String, _ deposit: KeeperLink.Deposit) {
        guard let id = Self.session(of: key) else { return }
        if key == Self.legKey(id) {
            guard let record = try? JSONDecoder().decode(LegRecord.self, from: Data(deposit.bytes)) else { return }
            heirs[id] = Heir(record: record, plan: record.exchange.agreement.flatMap { ForwardingPlan($0) }, sockets: deposit.descriptors)
        } else if let stone = try? JSONDecoder().decode(StoneRecord.self, from: Data(deposit.bytes)) {
            tombstones.bury(
                id, .init(epoch: stone.epoch, statistics: stone.statistics), until: Instant(nanoseconds: stone.until))
        }
    }

    func unlearn(_ key: String) {
        guard let id = Self.session(of: key), key == Self.legKey(id) else { return }
        heirs[id] = nil
    }

    // MARK: Our turn

    /// Goes on with all sessions where they stood. Those whose phones ask for consent come first (RFC 7675).
    func takeOver() {
        let inherited = heirs.values.sorted { $0.record.transports.hasChecks && !$1.record.transports.hasChecks }
        heirs = [:]
        for heir in inherited { restore(heir) }
        for heir in inherited { if let peer = heir.record.peer { join(heir.record.id, peer) } }
        open()
        for index in 0..<legs.end {
            guard let leg = legs[place: index] else { continue }
            openSecond(leg)
            tend(leg)
            events.changed(record(leg))
        }
    }

    /// Two that had each other; alone a leg waits for a room.
    private func join(_ id: String, _ peerID: String) {
        guard let leg = names[id].flatMap({ legs[$0] }) else { return }
        guard let peer = names[peerID].flatMap({ legs[$0] }) else { return leg.session.link(to: nil, ssrc: SSRC(0)) }
        (leg.peer, peer.peer) = (peer, leg)
    }

    private func restore(_ heir: Heir) {
        let (record, now) = (heir.record, loop.now)
        let sockets = heir.sockets.compactMap { $0.duplicate() }.compactMap { OutsideSocket(descriptor: $0) }
        guard sockets.count == 2, let custody, occupancy.add() else { return }
        let shelf = custody.shelf
        let blank = Session(random: (.random(in: .min ... .max), .random(in: .min ... .max)), now: now).position
        let position = shelf.position(of: record.insideSSRC, over: blank) ?? blank
        var session = Session(random: (0, 0), now: now, settings: settings.preferences.session)
        session.transport = transport(record.transports.rtp, .rtp, record)
        session.controlTransport = transport(record.transports.rtcp, .rtcp, record)
        session.resume(position, heir.plan, room: record.room, now: now)
        var made: Session? = consume session
        let leg = legs.restore(record.insideSSRC) {
            Leg(
                record, at: place(of: record),
                sockets: (sockets[0], sockets[1]), session: made.take() ?? Session(random: (0, 0), now: now),
                silence: SilenceWatch(limit: settings.timeout), now: now)
        }
        guard let leg else { return occupancy.remove() }
        leg.kept = record.transports
        names[leg.id] = leg.insideSSRC
        ports.claim(leg.port)
        watch(leg)
        note(leg)
    }

    private func place(of record: LegRecord) -> Place {
        settings.place(isIPv4: record.exchange.local.address.address.isIPv4) ?? settings.primary
    }

    private func transport(_ left: MediaTransport.Record?, _ port: Security.Port, _ record: LegRecord) -> MediaTransport? {
        guard let left, let custody else { return nil }
        // What another version left cannot be read: those keys are not used again.
        let position = custody.thread.isForeign ? .unknown : custody.shelf.keyPosition(port, of: record.insideSSRC)
        let place = place(of: record)
        let second = port == .rtp && record.exchange.agreement?.multiplexesRTCP == true ? settings.other(than: place)?.base(record.port) : nil
        return security.resume(left, position, second: second, record.exchange, now: loop.now)
    }
}
