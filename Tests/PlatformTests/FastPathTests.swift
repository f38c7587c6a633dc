import Addresses
import ChildProcesses
import Datagrams
import Deadlines
import Foundation
import Testing

@testable import FastPath

private enum Kernel {
    static let allowsFastPaths = (try? FastPath(ports: 46_400...46_401, streams: 1)) != nil
}

/// The kernel runs it here, with frames as bytes and with real packets.
@Suite("The fast path: packets that the kernel forwards by itself", .enabled(if: Kernel.allowsFastPaths, "CAP_BPF, CAP_NET_ADMIN and Linux 6.6 are needed"))
struct FastPathTests {
    private static func address(_ text: String, _ port: UInt16) throws -> SocketAddress { SocketAddress(try #require(IPAddress(text)), port: port) }

    private let path: FastPath
    private let way: FastPath.Way
    private let stream: FastPath.Stream
    private let passage: FastPath.Passage

    init() throws {
        path = try FastPath(ports: 46_400...46_499, streams: 16)
        way = FastPath.Way(from: try Self.address("192.0.2.10", 4000), to: try Self.address("192.0.2.1", 46_410))
        stream = FastPath.Stream(
            source: try Self.address("198.51.100.1", 46_412), destination: try Self.address("203.0.113.77", 6000),
            route: Routes.Route(interface: 1, isLocal: false), ssrc: 0xdead_beef, payloadType: 8, clockRate: 8000, nextSequence: 700,
            timestamp: 16_000, arrivedAt: Instant(nanoseconds: 0), jitter: 0, dscp: 46)
        passage = try #require(path.begin(way, stream))
    }

    private func packet(_ sequence: UInt16 = 700, first: UInt8 = 0x80, second: UInt8 = 8, ssrc: UInt32 = 0xdead_beef, count: Int = 160) -> [UInt8] {
        let (time, seconds) = (UInt32(sequence) &* 160, [first, second])
        let head = seconds + [UInt8(sequence >> 8), UInt8(sequence & 255)] + octets(time) + octets(ssrc)
        return head + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    private func octets(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

    private func frame(_ payload: [UInt8]) -> Frame { Frame(source: way.source, destination: way.destination, payload: payload, hops: 17) }

    @Test("RFC 768, RFC 791: the next packet leaves from our address for its destination, marked, unchanged, with right checksums", arguments: [1, 2, 159, 160, 1240])
    func rewrites(count: Int) throws {
        let payload = packet(second: 0x88, count: count)
        let before = frame(payload)
        var after = Frame(source: stream.source, destination: stream.destination, payload: payload)
        after.service = 46 << 2
        #expect(path.tries(before.bytes) == FastPath.Outcome(isForwarded: true, frame: after.bytes))
    }

    @Test("RFC 768: a datagram without checksum stays without; RFC 3168: congestion on the way is told on")
    func withoutChecksum() throws {
        var before = frame(packet())
        before.service = 3
        var after = Frame(source: stream.source, destination: stream.destination, payload: before.payload)
        after.service = 46 << 2 | 3
        let checksum = 14 + 20 + 6..<14 + 20 + 8
        let (given, expected) = (before.bytes.replacing(checksum, with: [0, 0]), after.bytes.replacing(checksum, with: [0, 0]))
        #expect(path.tries(given) == FastPath.Outcome(isForwarded: true, frame: expected))
    }

    @Test("Whatever is not the next packet of the stream goes its usual way, as it is, and the stream waits for its next packet")
    func leavesAlone() throws {
        let good = packet()
        var others: [(String, [UInt8])] = [
            ("after a gap", frame(packet(701)).bytes), ("again", frame(packet(699)).bytes), ("another source", frame(packet(ssrc: 1)).bytes),
            ("another payload type", frame(packet(second: 0)).bytes), ("a report", frame(packet(second: 200)).bytes),
            ("padded", frame(packet(first: 0xa0)).bytes), ("extended", frame(packet(first: 0x90)).bytes),
            ("with contributors", frame(packet(first: 0x81)).bytes), ("version 1", frame(packet(first: 0x40)).bytes),
            ("a check", frame([0, 1, 0, 0] + [UInt8](repeating: 0, count: 40)).bytes), ("nothing in it", frame(Array(good.prefix(12))).bytes),
            ("shorter than a header", frame(Array(good.prefix(9))).bytes), ("longer than a packet may be", frame(packet(count: 1241)).bytes),
        ]
        var part = frame(good)
        part.fragment = 0x2000
        others.append(("the first fragment", part.bytes))
        part.fragment = 0x0007
        others.append(("a later fragment", part.bytes))
        part = frame(good)
        part.source = SocketAddress(part.source.address, port: 4002)
        others.append(("of another port", part.bytes))
        part = frame(good)
        part.destination = SocketAddress(part.destination.address, port: 46_411)
        others.append(("to another port", part.bytes))
        part.destination = SocketAddress(part.destination.address, port: 46_500)
        others.append(("to a port that is not ours", part.bytes))
        let whole = frame(good).bytes
        others.append(("with options", whole.replacing(14..<15, with: [0x46])))
        others.append(("TCP", whole.replacing(23..<24, with: [6])))
        others.append(("not IP", whole.replacing(12..<14, with: [8, 6])))
        others.append(("UDP longer than IP", whole.replacing(38..<40, with: [0, 200])))
        others.append(("IP longer than what came", Array(whole.dropLast())))
        for (name, bytes) in others {
            #expect(path.tries(bytes) == FastPath.Outcome(isForwarded: false, frame: bytes), "\(name)")
        }
        #expect(path.progress(passage)?.packets == 0)
        #expect(path.tries(whole)?.isForwarded == true)
    }

    @Test("RFC 3550: numbers go round, packets and octets are counted, and an end is an end")
    func counts() throws {
        var stream = stream
        stream.nextSequence = 65_530
        #expect(path.end(passage)?.packets == 0)
        let passage = try #require(path.begin(way, stream))
        for number in 0..<10 {
            #expect(path.tries(frame(packet(UInt16(truncatingIfNeeded: 65_530 + number))).bytes)?.isForwarded == true)
        }
        let progress = try #require(path.end(passage))
        #expect(progress.packets == 10 && progress.octets == 1720 && progress.sequence == 3 && progress.timestamp == 3 * 160)
        #expect(path.tries(frame(packet(4)).bytes)?.isForwarded == false)
        #expect(path.end(passage) == nil)
    }

    @Test("RFC 3550 A.8: the jitter counts on from where it was, by when packets came and when they were made")
    func jitter() throws {
        var stream = stream
        // A packet that was made 20 ms after one that has just come, and comes at once: 20 ms less than expected.
        (stream.arrivedAt, stream.timestamp, stream.jitter) = (Clock.now, 700 * 160 - 160, 1_600_000)
        #expect(path.end(passage) != nil)
        let passage = try #require(path.begin(way, stream))
        #expect(path.tries(frame(packet()).bytes)?.isForwarded == true)
        let jitter = try #require(path.progress(passage)).jitter
        #expect(jitter <= 1_600_000 - 100_000 + 20_000_000 && jitter >= 1_600_000 - 100_000)
    }

    @Test("There is room for as many streams as were asked for, and a refusal changes nothing")
    func room() throws {
        let small = try FastPath(ports: 46_400...46_499, streams: 2)
        let ways = try (0..<3).map { FastPath.Way(from: try Self.address("192.0.2.10", UInt16(4000 + $0)), to: way.destination) }
        let passages = ways.map { small.begin($0, stream) }
        #expect(passages[0] != nil && passages[1] != nil && passages[2] == nil)
        #expect(small.end(try #require(passages[0])) != nil)
        let six = FastPath.Way(from: SocketAddress(.loopbackIPv6, port: 1), to: way.destination)
        #expect(small.begin(six, stream) == nil)
        let third = try #require(small.begin(ways[2], stream))
        #expect(third.slot != passages[0]?.slot && small.progress(third)?.packets == 0)
    }

    @Test("A slot that was given back rests before it is another stream's; so many streams as were asked for are never refused for that")
    func slots() {
        var slots = Slots(count: 5, used: 2)
        let start = Instant(nanoseconds: 1_000_000_000)
        #expect(slots.take(now: start) == 0 && slots.take(now: start) == 1 && slots.take(now: start) == nil)
        slots.giveBack(0, now: start)
        #expect(slots.take(now: start) == 2)
        for _ in 0..<3 { slots.giveBack(2, now: start) }
        #expect(slots.take(now: start) == 3 && slots.take(now: start) == 4 && slots.take(now: start) == nil)
        #expect(slots.take(now: start + .seconds(1)) == 0)
    }

    @Test("Between sockets of one machine: in order by the kernel, what is not in order by the socket, and everything once it has ended")
    func loopback() throws {
        let phone = try socket(0)
        let far = try socket(0)
        let near = try socket(46_420)
        let out = try socket(46_422)
        let route = try route(to: .loopbackIPv4, from: .loopbackIPv4)
        #expect(route.isLocal)
        let way = FastPath.Way(from: phone.localAddress, to: near.localAddress)
        var stream = stream
        (stream.source, stream.destination, stream.route) = (out.localAddress, far.localAddress, route)
        let passage = try #require(path.begin(way, stream))
        var batch = ReceiveBatch(capacity: 4)
        phone.send(packet(700), to: near.localAddress)
        #expect(receive(far, &batch) == packet(700))
        let source = batch[0].source
        #expect(source == out.localAddress)
        phone.send(packet(702), to: near.localAddress)
        #expect(receive(near, &batch) == packet(702))
        #expect(path.end(passage)?.packets == 1)
        phone.send(packet(701), to: near.localAddress)
        #expect(receive(near, &batch) == packet(701))
    }

    private func route(to destination: IPAddress, from source: IPAddress) throws -> Routes.Route {
        var routes = Routes()
        let route = routes.route(to: destination, from: source, now: Clock.now)
        return try #require(route)
    }

    private func socket(_ port: UInt16) throws -> DatagramSocket { try DatagramSocket(bind: SocketAddress(.loopbackIPv4, port: port)) }

    private func receive(_ socket: borrowing DatagramSocket, _ batch: inout ReceiveBatch) -> [UInt8] {
        for _ in 0..<400 {
            if socket.receive(into: &batch, limit: 1) > 0 { return batch[0].bytes.indices.map { batch[0].bytes[$0] } }
            usleep(1000)
        }
        return []
    }

    @Test("Between machines: what comes over one link goes out of another, to the neighbour that is found there")
    func links() throws {
        let net = try TwoLinks()
        defer { net.remove() }
        // The links are there before the program is attached to what is there.
        let path = try FastPath(ports: 46_400...46_499, streams: 16)
        let (near, far) = (try Self.address("10.98.1.2", 5000), try Self.address("10.98.2.2", 6000))
        let (here, there) = (try Self.address("10.98.1.1", 46_430), try Self.address("10.98.2.1", 46_432))
        let route = try route(to: far.address, from: there.address)
        #expect(!route.isLocal)
        var stream = stream
        (stream.source, stream.destination, stream.route) = (there, far, route)
        let passage = try #require(path.begin(FastPath.Way(from: near, to: here), stream))
        // Of a VLAN: not for the interface it comes over.
        try net.sayTagged(packet(700), from: near, to: here)
        #expect(path.progress(passage)?.packets == 0)
        let heard = try net.hear(at: far, while: { try net.say(packet(700), from: near, to: here) })
        #expect(heard == TwoLinks.Heard(bytes: packet(700), from: there))
        #expect(path.progress(passage)?.packets == 1)
    }
}

private enum Clock {
    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

extension [UInt8] {
    fileprivate func replacing(_ range: Range<Int>, with bytes: [UInt8]) -> [UInt8] {
        var copy = self
        copy.replaceSubrange(range, with: bytes)
        return copy
    }
}
