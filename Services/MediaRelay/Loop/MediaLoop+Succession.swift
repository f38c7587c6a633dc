import Addresses
import Contracts
import Datagrams
import Deadlines
import FoundationEssentials
import JSONCoding
import MediaSession
import RTP
import SDP
import Succession
import Threads

// What a media thread does to go on with the sessions of another process: all that it can beforehand, so that a phone hears as little of
// it as can be.
extension MediaLoop {
    /// A session of the worker before us, while that one works.
    struct Heir {
        let record: LegRecord
        let plan: ForwardingPlan?
        /// With its sockets, which nobody reads yet, and without keys: those go by where its streams stand.
        let leg: Leg
    }

    /// What was deposited of a session a moment ago.
    struct Fresh {
        let deposit: KeeperLink.Deposit
        let at: Instant
    }

    // MARK: While we stand by

    /// A session that begins changes a few times at once, and a short one is soon over: it is made ready when it has been the same for so long,
    /// or when our turn comes.
    private static var settlingTime: Interval { .seconds(1) }
    private static var preparedAtOnce: Int { 16 }

    /// Which thread a deposit is for, by the session in its key; nil when it is no session's.
    static func session(of key: String) -> String? {
        for prefix in ["leg/", "stone/"] where key.hasPrefix(prefix) { return String(key.dropFirst(prefix.count)) }
        return nil
    }

    func learn(_ key: String, _ deposit: KeeperLink.Deposit) {
        guard let id = Self.session(of: key) else { return }
        if key == Self.legKey(id) {
            heirs[id] = nil
            if !isPreparing { prepareSoon(after: Self.settlingTime) }
            fresh[id] = Fresh(deposit: deposit, at: loop.now)
        } else if let stone = try? JSONText.decode(StoneRecord.self, from: deposit.bytes) {
            tombstones.bury(
                id, .init(epoch: stone.epoch, statistics: stone.statistics), until: Instant(nanoseconds: stone.until))
        }
    }

    func unlearn(_ key: String) {
        guard let id = Self.session(of: key), key == Self.legKey(id) else { return }
        heirs[id] = nil
        fresh[id] = nil
    }

    private func prepareSoon(after pause: Interval) {
        isPreparing = true
        loop.schedule(at: loop.now + pause) { [unowned self] in prepare() }
    }

    private func prepare() {
        isPreparing = false
        let now = loop.now
        let settled = fresh.filter { now - $0.value.at >= Self.settlingTime }.keys.prefix(Self.preparedAtOnce)
        for id in settled { prepare(id) }
        guard !fresh.isEmpty else { return }
        prepareSoon(after: settled.count == Self.preparedAtOnce ? .milliseconds(5) : .milliseconds(250))
    }

    private func prepare(_ id: String) {
        guard let deposit = fresh.removeValue(forKey: id)?.deposit, let record = try? JSONText.decode(LegRecord.self, from: deposit.bytes)
        else { return }
        heirs[id] = heir(record, deposit)
    }

    private func heir(_ record: LegRecord, _ deposit: KeeperLink.Deposit) -> Heir? {
        let sockets = deposit.descriptors.compactMap { $0.duplicate() }.compactMap { OutsideSocket(descriptor: $0) }
        guard sockets.count == 2 else { return nil }
        let now = loop.now
        let plan = record.exchange.agreement.flatMap { ForwardingPlan($0) }
        var session = Session(random: (.random(in: .min ... .max), .random(in: .min ... .max)), now: now, settings: settings.preferences.session)
        if let plan { session.apply(plan, now: now) }
        let leg = Leg(
            record, at: place(of: record), sockets: (sockets[0], sockets[1]), session: session, silence: SilenceWatch(limit: settings.timeout),
            now: now)
        return Heir(record: record, plan: plan, leg: leg)
    }

    // MARK: Our turn

    /// Goes on with all sessions where they stood. Those whose phones ask for consent come first (RFC 7675).
    func takeOver() {
        let began = MonotonicClock.now()
        for id in Array(fresh.keys) { prepare(id) }
        let inherited = heirs.values.sorted { $0.record.transports.hasChecks && !$1.record.transports.hasChecks }
        heirs = [:]
        for heir in inherited { restore(heir) }
        for heir in inherited { if let peer = heir.record.peer { join(heir.record.id, peer) } }
        resumeRuns()
        if let custody, !custody.thread.isForeign { finishWork(on: custody.shelf) }
        open()
        events.tookOver(legs.count, MonotonicClock.now() - began)
        settle(from: 0)
    }

    /// What sound does not wait for comes a few sessions at a time, between packets: the way out for checks, and within the next second
    /// their snapshots (leases are longer).
    private func settle(from first: Int) {
        let end = min(first + Self.settledAtOnce, legs.end)
        for index in first..<end {
            guard let leg = legs[place: index] else { continue }
            openSecond(leg)
            tend(leg)
            leg.nextSnapshotAt = loop.now
        }
        guard end < legs.end else { return }
        loop.schedule(at: loop.now + .milliseconds(2)) { [unowned self] in settle(from: end) }
    }

    private static var settledAtOnce: Int { 8 }

    /// Two that had each other; alone a leg waits for a room.
    private func join(_ id: String, _ peerID: String) {
        guard let leg = names[id].flatMap({ legs[$0] }) else { return }
        guard let peer = names[peerID].flatMap({ legs[$0] }) else { return leg.session.link(to: nil, ssrc: SSRC(0)) }
        (leg.peer, peer.peer) = (peer, leg)
    }

    private func restore(_ heir: Heir) {
        let (record, leg, now) = (heir.record, heir.leg, loop.now)
        guard let custody, occupancy.add() else { return }
        leg.session.transport = transport(record.transports.rtp, .rtp, record)
        leg.session.controlTransport = transport(record.transports.rtcp, .rtcp, record)
        let position = custody.shelf.position(of: record.insideSSRC, over: leg.session.position) ?? leg.session.position
        let tally = custody.shelf.tally(of: record.insideSSRC, over: leg.session.tally) ?? leg.session.tally
        leg.session.resume(position, tally, heir.plan, room: record.room, now: now)
        guard legs.restore(record.insideSSRC, { leg }) != nil else { return occupancy.remove() }
        (leg.nextReportAt, leg.kept) = (now + reportPause(isFirst: true), record.transports)
        names[leg.id] = leg.insideSSRC
        ports.claim(leg.port)
        leg.rtp?.recall()
        leg.rtcp.recall()
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
