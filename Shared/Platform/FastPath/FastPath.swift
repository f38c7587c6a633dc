internal import CLinux
internal import Glibc
internal import Synchronization

/// Streams of RTP that the kernel forwards by itself: packet by packet in order, from where one arrives to where it leaves, without
/// waking anybody (eBPF at tc ingress).
///
/// Only the packet that follows upon the last one of its stream is taken. Whatever else comes (a gap, a packet twice, another SSRC, another
/// payload type, a control packet) goes to the socket as if there were no fast path: so all that needs a decision is decided in one place.
///
/// Linux 6.6, CAP_BPF and CAP_NET_ADMIN. IPv4 over Ethernet and loopback. What it forwards passes no netfilter.
public final class FastPath: Sendable {
    public struct Unavailable: Error, CustomStringConvertible {
        public let description: String
    }

    let tables: Tables
    let program: Int32
    let links: [Int32]
    private let slots: Mutex<Slots>

    /// For packets to these ports and so many streams, over the interfaces that are there. It ends with this object, or with the process.
    public init(ports: ClosedRange<UInt16>, streams: Int) throws(Unavailable) {
        // A slot rests before it is another stream's: there are more of them.
        slots = Mutex(Slots(count: 2 * streams + 8, used: streams))
        let ways = unsafe tandem_hash_create("tandem_ways", MemoryLayout<tandem_flow_key>.size, MemoryLayout<UInt32>.size, Int32(clamping: streams))
        guard ways >= 0 else { throw Self.refusal("a table in the kernel", -ways) }
        var descriptors = [ways]
        do throws(Unavailable) {
            let table = unsafe tandem_array_create("tandem_streams", MemoryLayout<tandem_flow>.size, Int32(clamping: 2 * streams + 8))
            guard table >= 0 else { throw Self.refusal("a table in the kernel", -table) }
            descriptors.append(table)
            let tables = Tables(ways: ways, streams: table)
            let loopback = unsafe Int32(bitPattern: if_nametoindex("lo"))
            let program = try Self.load(ForwardingProgram.instructions(ways: ways, streams: table, ports: ports, loopback: loopback))
            descriptors.append(program)
            guard Self.isAsExpected(program, tables, port: ports.lowerBound) else {
                throw Unavailable(description: "this kernel does not rewrite packets as expected")
            }
            var interfaces = [Int32](repeating: 0, count: Self.interfaceLimit)
            let count = unsafe tandem_ip_interfaces(&interfaces, Int32(interfaces.count))
            guard count > 0 else { throw Unavailable(description: "no interface has an IPv4 address") }
            for interface in interfaces.prefix(Int(count)) {
                let link = tandem_program_attach(program, interface)
                // It may have gone since.
                guard link != -ENODEV else { continue }
                guard link >= 0 else { throw Self.refusal("attaching to an interface (Linux 6.6 is needed)", -link) }
                descriptors.append(link)
            }
            (self.tables, self.program, links) = (tables, program, Array(descriptors.dropFirst(3)))
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
    }

    deinit { for descriptor in links + [program, tables.streams, tables.ways] { close(descriptor) } }

    /// A host with more has the others served by sockets.
    private static let interfaceLimit = 64

    private static func load(_ code: [UInt64]) throws(Unavailable) -> Int32 {
        let program = unsafe tandem_program_load("tandem_forward", code, Int32(clamping: code.count), nil, 0)
        guard program < 0 else { return program }
        guard -program != EPERM else { throw refusal("loading", EPERM) }
        // The kernel's reasons are long: asked for only when there is something to tell.
        var log = [CChar](repeating: 0, count: 1 << 16)
        let second = unsafe tandem_program_load("tandem_forward", code, Int32(clamping: code.count), &log, log.count)
        guard second < 0 else { return second }
        let reasons = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "\n")
        throw Unavailable(description: "loading: error \(-second): \(reasons.suffix(3).joined(separator: "; "))")
    }

    private static func refusal(_ what: String, _ code: Int32) -> Unavailable {
        if code == EPERM { return Unavailable(description: "CAP_BPF and CAP_NET_ADMIN are needed") }
        return Unavailable(description: unsafe "\(what): \(String(cString: strerror(code)))")
    }

    // MARK: Streams

    /// A stream on its way.
    public struct Passage: Hashable, Sendable {
        public let way: Way
        let slot: UInt32
    }

    /// From the next packet on the kernel forwards the stream. Nil when it cannot: nothing has changed then.
    public func begin(_ way: Way, _ stream: Stream) -> Passage? {
        let now = MonotonicTime.now()
        guard var key = way.key, var flow = stream.flow, var slot = slots.withLock({ $0.take(now: now) }) else { return nil }
        if unsafe tandem_map_write(tables.streams, &slot, &flow) == 0, unsafe tandem_map_write(tables.ways, &key, &slot) == 0 {
            return Passage(way: way, slot: slot)
        }
        slots.withLock { $0.giveBack(slot, now: now) }
        return nil
    }

    /// How far it has come.
    public func progress(_ passage: Passage) -> Progress? { tables.progress(passage.slot) }

    /// From the next packet on everything goes to the socket.
    public func end(_ passage: Passage) -> Progress? {
        guard let slot = tables.remove(passage.way) else { return nil }
        let progress = tables.progress(slot)
        slots.withLock { $0.giveBack(slot, now: MonotonicTime.now()) }
        return progress
    }
}
