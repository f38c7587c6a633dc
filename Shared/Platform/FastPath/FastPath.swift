internal import CLinux
internal import Glibc

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

    let table: Int32
    let program: Int32
    let links: [Int32]

    /// For packets to these ports and so many streams. It ends with this object, or with the process.
    public init(ports: ClosedRange<UInt16>, streams: Int) throws(Unavailable) {
        let (key, value) = (MemoryLayout<tandem_flow_key>.size, MemoryLayout<tandem_flow>.size)
        let table = unsafe tandem_map_create("tandem_streams", key, value, Int32(clamping: streams))
        guard table >= 0 else { throw Self.refusal("a table in the kernel", -table) }
        var descriptors = [table]
        do throws(Unavailable) {
            let loopback = unsafe Int32(bitPattern: if_nametoindex("lo"))
            let program = try Self.load(ForwardingProgram.instructions(table: table, ports: ports, loopback: loopback))
            descriptors.append(program)
            guard Self.isAsExpected(program, table, port: ports.lowerBound) else {
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
            (self.table, self.program, links) = (table, program, Array(descriptors.dropFirst(2)))
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
    }

    deinit { for descriptor in links + [program, table] { close(descriptor) } }

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

    /// From the next packet on the kernel forwards the stream. False when it cannot: nothing has changed then.
    public func begin(_ way: Way, _ stream: Stream) -> Bool {
        guard var key = way.key, var flow = stream.flow else { return false }
        return unsafe tandem_map_write(table, &key, &flow) == 0
    }

    /// How far it has come; nil when there is none.
    public func progress(_ way: Way) -> Progress? {
        guard var key = way.key else { return nil }
        var flow = tandem_flow()
        return unsafe tandem_map_read(table, &key, &flow) == 0 ? Progress(flow) : nil
    }

    /// From the next packet on everything goes to the socket.
    public func end(_ way: Way) -> Progress? { Self.end(way, table) }
}
