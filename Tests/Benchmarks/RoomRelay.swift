import Addresses
import Audio
import Datagrams
import Deadlines
import RTP
import Threads

/// The far end of many legs, as the relay of a room's or as the phones of a relay's: one socket, a packet for each leg every 20 ms, spread
/// over some beats, and an ear for what comes back.
final class RoomRelay: @unchecked Sendable {
    // Sendable: touched by its loop's thread, and before `start`.

    struct Heard: Sendable {
        var packets = 0
        var sent = 0
        /// Each leg's longest time between two packets.
        var gaps: [Interval] = []
        /// Legs that heard silence only.
        var silent = 0
        /// Beats that came more than 10 ms late.
        var late = 0
    }

    private struct Leg {
        var room = SocketAddress(.anyIPv4, port: 0)
        var ssrc: UInt32 = 0
        var isTalking = false
        var heardAt: Instant?
        var longestGap = Interval.zero
        var loudPackets = 0
    }

    private let beats: Int

    let address: SocketAddress
    private let loop = EventLoop(name: "room-relay")
    private let socket: DatagramSocket
    private var batch = SendBatch(capacity: 512, size: 256)
    private var inbox = ReceiveBatch(capacity: 256, size: 512)
    private var legs: [Leg]
    /// What names a leg in the packets that come: our own SSRC for it, or, as there is no saying it to others, the port they come from.
    private var places: [UInt16: Int] = [:]
    private let hasPorts: Bool
    private var heard = Heard()
    private var beat = 0
    private var tone: [[UInt8]] = []
    private let silence = [UInt8](repeating: 0xff, count: Samples.frame)

    init(participants: Int, talkers: Int, port: UInt16 = 0, hasPorts: Bool = false, beats: Int = 4) throws {
        self.beats = beats
        socket = try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: port), receiveBuffer: 8 << 20)
        self.hasPorts = hasPorts
        address = socket.localAddress
        legs = (0..<participants).map { number in
            var leg = Leg()
            leg.isTalking = number < talkers
            return leg
        }
        // A second of 400 Hz.
        var generator = Tone(frequency: 400)
        for _ in 0..<50 {
            tone.append(G711.encode(generator.next(Samples.frame), .ulaw))
        }
    }

    func seat(_ number: Int, room: SocketAddress, ssrc: UInt32) {
        (legs[number].room, legs[number].ssrc) = (room, ssrc)
        if hasPorts { places[room.port] = number }
    }

    func start() {
        loop.start()
        loop.post { [self] in
            loop.watch(socket.descriptor, .read) { [self] _ in read() }
            schedule(loop.now)
        }
    }

    func stop() { loop.stop() }

    func forget() async {
        await ask { [self] in
            heard = Heard()
            for index in legs.indices { (legs[index].heardAt, legs[index].longestGap, legs[index].loudPackets) = (nil, .zero, 0) }
        }
    }

    func heard() async -> Heard {
        await ask { [self] in
            heard.gaps = legs.map(\.longestGap)
            heard.silent = legs.count { $0.loudPackets == 0 }
            return heard
        }
    }

    private func ask<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { answer in loop.post { answer.resume(returning: body()) } }
    }

    private func schedule(_ due: Instant) {
        loop.schedule(at: due) { [self] in
            if loop.now - due > .milliseconds(10) { heard.late += 1 }
            speak()
            schedule(due + .microseconds(20_000 / beats))
        }
    }

    /// Those whose turn it is.
    private func speak() {
        let frame = beat / beats
        for index in stride(from: beat % beats, to: legs.count, by: beats) {
            let leg = legs[index]
            var packet: [UInt8] = []
            Header(
                payloadType: .pcmu, sequence: SequenceNumber(UInt16(truncatingIfNeeded: frame)),
                timestamp: Timestamp(UInt32(truncatingIfNeeded: frame * Samples.frame)), ssrc: SSRC(leg.ssrc), marker: frame == 0
            ).append(to: &packet)
            packet += leg.isTalking ? tone[(frame + index) % tone.count] : silence
            if batch.isFull { _ = socket.send(&batch) }
            _ = batch.append(packet, to: leg.room)
            heard.sent += 1
        }
        _ = socket.send(&batch)
        beat += 1
    }

    private func read() {
        let now = loop.now
        for _ in 0..<16 {
            let count = socket.receive(into: &inbox)
            for index in 0..<count {
                let bytes = inbox[index].bytes
                guard let header = try? Header(parsing: bytes), !header.payloadRange.isEmpty, let place = place(of: header.ssrc.value, from: inbox[index].source.port) else { continue }
                heard.packets += 1
                if let before = legs[place].heardAt { legs[place].longestGap = max(legs[place].longestGap, now - before) }
                legs[place].heardAt = now
                if bytes[min(header.payloadRange.lowerBound + 3, header.payloadRange.upperBound - 1)] & 0x7f < 0x60 { legs[place].loudPackets += 1 }
            }
            if count < inbox.capacity { return }
        }
    }

    private func place(of ssrc: UInt32, from port: UInt16) -> Int? {
        if hasPorts { return places[port] }
        return ssrc > 0 && ssrc <= legs.count ? Int(ssrc) - 1 : nil
    }
}
