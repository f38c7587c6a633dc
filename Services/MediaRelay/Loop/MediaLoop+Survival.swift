import Addresses
import Contracts
import Datagrams
import Deadlines
import FoundationEssentials
import JSONCoding
import MediaSession
import Processes
import RTP
import SDP
import Succession

// What a media thread does so that another process can go on with its sessions.
extension MediaLoop {
    static func legKey(_ id: String) -> String { "leg/" + id }
    private static func stoneKey(_ id: String) -> String { "stone/" + id }

    // MARK: While we work

    /// Deposits all that does not change with every packet. Called before anything that depends on it can be seen outside.
    func keep(_ leg: Leg, withSockets: Bool = false) {
        guard let custody else { return }
        let withSockets = withSockets || leg.kept == nil
        if withSockets { custody.shelf.clear(leg.insideSSRC) }
        let record = leg.legRecord
        leg.kept = record.transports
        guard let bytes = try? JSONText.encode(record) else { return }
        let sockets = withSockets ? [leg.rtp?.socket.descriptor, leg.rtcp.socket.descriptor].compactMap(\.self) : []
        custody.link.keep(.work, Self.legKey(leg.id), bytes, sockets)
        note(leg)
    }

    /// A check or a handshake may have changed what a successor must know.
    func keepTransport(_ leg: Leg) {
        guard custody != nil, leg.transports != leg.kept else { return }
        keep(leg)
    }

    /// All that changes with packets.
    func note(_ leg: Leg) {
        guard let custody else { return }
        leg.nextTallyAt = loop.now
        Self.note(leg, on: custody.shelf, now: loop.now)
    }

    /// What was counted is written so often.
    private static var tallyPause: Interval { .milliseconds(200) }

    /// Where the streams stand: before every packet that leaves, as far as a successor has to know.
    static func note(_ leg: Leg, on shelf: Shelf, now: Instant) {
        let isDue = now >= leg.nextTallyAt
        if isDue {
            leg.nextTallyAt = now + tallyPause
            shelf.write(leg.session.tally, of: leg.insideSSRC)
        }
        guard isDue || leg.session.hasOwnNumbers else { return }
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
        if let bytes = try? JSONText.encode(stone) { custody.link.keep(.fixture, Self.stoneKey(leg.id), bytes) }
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
            if let bytes = try? JSONText.encode(leg.legRecord) { custody.link.keep(.work, Self.legKey(leg.id), bytes, sockets) }
        }
        for (id, stone, until) in tombstones.all {
            let record = StoneRecord(epoch: stone.epoch, statistics: stone.statistics, until: until.nanoseconds)
            if let bytes = try? JSONText.encode(record) { custody.link.keep(.fixture, Self.stoneKey(id), bytes) }
        }
    }
}
