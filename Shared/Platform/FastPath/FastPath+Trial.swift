import Addresses
internal import CLinux
import Deadlines

extension FastPath {
    /// What becomes of a frame.
    struct Outcome: Hashable {
        var isForwarded: Bool
        var frame: [UInt8]
    }

    /// What the program would do with a frame, as the kernel runs it; nil when it does not run it.
    func tries(_ frame: [UInt8]) -> Outcome? { Self.tries(program, frame) }

    private static let redirected: UInt32 = 7

    private static func tries(_ program: Int32, _ frame: [UInt8]) -> Outcome? {
        var after = [UInt8](repeating: 0, count: frame.count + 64)
        var (room, verdict) = (after.count, UInt32(0))
        guard unsafe tandem_program_run(program, frame, frame.count, &after, &room, &verdict) == 0 else { return nil }
        return Outcome(isForwarded: verdict == redirected, frame: Array(after.prefix(room)))
    }

    /// Whether this kernel makes of a frame what is expected of it: better asked now than by a call.
    static func isAsExpected(_ program: Int32, _ tables: Tables, port: UInt16) -> Bool {
        let way = Way(from: SocketAddress(IPAddress(v4: 0xc000_0201), port: 4000), to: SocketAddress(IPAddress(v4: 0xc000_0202), port: port))
        let stream = Stream(
            source: SocketAddress(IPAddress(v4: 0xc633_6403), port: 5001), destination: SocketAddress(IPAddress(v4: 0xcb00_7104), port: 6003),
            route: Routes.Route(interface: 1, isLocal: false), ssrc: 0x0102_0304, payloadType: 8, clockRate: 8000, nextSequence: 65_535,
            timestamp: 160, arrivedAt: Instant(nanoseconds: 0), jitter: 0, dscp: 46)
        guard var key = way.key, var flow = stream.flow else { return false }
        var slot: UInt32 = 0
        guard unsafe tandem_map_write(tables.streams, &slot, &flow) == 0, unsafe tandem_map_write(tables.ways, &key, &slot) == 0 else { return false }
        defer { _ = tables.remove(way) }
        let packet: [UInt8] = [0x80, 8, 0xff, 0xff, 0, 0, 1, 64, 1, 2, 3, 4] + [UInt8](0...160)
        let before = Frame(source: way.source, destination: way.destination, payload: packet, hops: 3, service: 1)
        var after = Frame(source: stream.source, destination: stream.destination, payload: packet)
        after.service = 46 << 2 | 1
        return tries(program, before.bytes) == Outcome(isForwarded: true, frame: after.bytes)
            && tries(program, before.bytes) == Outcome(isForwarded: false, frame: before.bytes)
    }
}
