import Addresses
import Datagrams
import Deadlines
import MediaSession
import RTP
import Threads

// Packets from and to rooms, which all sessions of a thread have over one socket: in batches, and while there is a keeper so that a
// successor goes on in the middle of one.
extension MediaLoop {
    func readInside() {
        let now = loop.now
        // Bounded, so that rooms cannot keep the phones waiting.
        for _ in 0..<4 {
            let count = inside.receive(into: &fromRooms)
            loop.handled(count)
            Self.forward(fromRooms, to: legs, now: now, packets: &packets, traffic: &traffic, shelf: custody?.shelf)
            if count < fromRooms.capacity { return }
        }
        // What is left there does not wait for the next turn.
        loop.fallBehind()
    }

    private static func forward(
        _ batch: borrowing ReceiveBatch, to legs: SlotTable<Leg>, now: Instant, packets: inout PacketBuffer, traffic: inout Traffic,
        shelf: Shelf?
    ) {
        guard batch.count > 0 else { return }
        shelf?.write(batch)
        for index in 0..<batch.count {
            forward(batch[index].bytes, from: batch[index].source, index, batch.count, to: legs, now: now, packets: &packets, traffic: &traffic, shelf: shelf)
        }
        shelf?.mark(.fromRooms, 0, 0)
    }

    /// Number `index` of a batch of `count`: when it leaves, those behind it are still in hand.
    static func forward(
        _ bytes: Span<UInt8>, from source: SocketAddress, _ index: Int, _ count: Int, to legs: SlotTable<Leg>, now: Instant,
        packets: inout PacketBuffer, traffic: inout Traffic, shelf: Shelf?
    ) {
        guard let header = try? Header(parsing: bytes), let leg = legs[header.ssrc.value] else {
            traffic.unknownSessions += 1
            return
        }
        packets.removeAll()
        let verdict = leg.session.insidePacket(bytes, from: source, now: now, into: &packets)
        traffic.countRooms(verdict)
        if let tap = leg.tap, verdict == .forwarded || verdict == .collected { tap.sound(bytes, .heard, now: now) }
        guard packets.count > 0, let destination = leg.session.destination, let rtp = leg.socket(to: destination) else { return }
        for number in 0..<packets.count {
            if leg.tap != nil { Self.tapLeaving(leg, packets[number], isSealed: false, now: now) }
            guard leg.session.seal(&packets, number) else { continue }
            if leg.tap != nil { Self.tapLeaving(leg, packets[number], isSealed: true, now: now) }
            if let shelf {
                note(leg, on: shelf, now: now)
                shelf.mark(.fromRooms, index + 1, count)
            }
            if rtp.send(packets[number], to: destination) != .sent { traffic.notSent += 1 }
        }
    }

    static func append(
        _ packet: Span<UInt8>, to room: SocketAddress, _ toRooms: inout SendBatch, _ inside: borrowing DatagramSocket, _ traffic: inout Traffic,
        _ shelf: Shelf?
    ) {
        if toRooms.isFull { flush(&toRooms, inside, &traffic, shelf) }
        guard toRooms.append(packet, to: room), let shelf else { return }
        shelf.write(packet, room, .toRooms, at: toRooms.count - 1)
        shelf.mark(.toRooms, 0, toRooms.count)
    }

    private static func flush(_ toRooms: inout SendBatch, _ inside: borrowing DatagramSocket, _ traffic: inout Traffic, _ shelf: Shelf?) {
        traffic.notSent += inside.send(&toRooms)
        shelf?.mark(.toRooms, 0, 0)
    }

    func flush() {
        if !toRooms.isEmpty { Self.flush(&toRooms, inside, &traffic, custody?.shelf) }
    }

    /// What the process before us had read and not sent yet.
    func finishWork(on shelf: Shelf) {
        for (bytes, room) in shelf.takeOver(.toRooms) where inside.send(bytes, to: room) != .sent { traffic.notSent += 1 }
        let left = shelf.takeOver(.fromRooms)
        for (index, (bytes, source)) in left.enumerated() {
            Self.forward(bytes.span, from: source, index, left.count, to: legs, now: loop.now, packets: &packets, traffic: &traffic, shelf: shelf)
        }
        shelf.mark(.fromRooms, 0, 0)
    }
}
