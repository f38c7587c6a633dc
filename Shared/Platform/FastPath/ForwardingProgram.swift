internal import CLinux

/// What the kernel does with each packet that arrives at an interface: if it is the next one of a stream that is known here, it gets new
/// addresses and numbers and leaves at once. Everything else goes its usual way, to whoever reads the socket.
struct ForwardingProgram {
    /// In an Ethernet frame with an IPv4 header without options.
    private enum Offset {
        static let type = 12
        static let ip = 14
        static let service = ip + 1
        static let totalLength = ip + 2
        static let fragment = ip + 6
        static let hops = ip + 8
        static let transport = ip + 9
        static let ipChecksum = ip + 10
        static let addresses = ip + 12
        static let ports = ip + 20
        static let udpLength = ip + 24
        static let udpChecksum = ip + 26
        static let rtp = ip + 28
        static let end = rtp + 12
    }

    /// In the packet's description (`struct __sk_buff`).
    private enum Packet {
        static let length = 0
        static let priority = 32
        /// Of a VLAN, whose own interface it is still to arrive at.
        static let isTagged = 20
        static let interface = 40
        static let start = 76
        static let end = 80
        /// Of what was gathered into one; 0: it is one.
        static let pieceLength = 176
    }

    /// Of the kernel's functions.
    private enum Function {
        static let find: Int32 = 1
        static let now: Int32 = 5
        static let replaceChecksum: Int32 = 11
        static let redirect: Int32 = 23
        static let difference: Int32 = 28
        static let redirectToNeighbour: Int32 = 152
    }

    private enum Flag {
        static let addressesAreSummed: Int32 = 0x10
        /// A checksum of zero is none, and stays so (RFC 768).
        static let zeroIsNone: Int32 = 0x20
    }

    /// On the stack.
    private enum Stack {
        static let key = -16
        static let slot = -68
        /// Ports and header of RTP, as they came and as they leave.
        static let before = -32
        static let after = -48
        static let addressDifference = -56
        static let otherDifference = -64
    }

    /// Its answers: the next program may look at it.
    private static let goOn: Int32 = -1
    private static let hops: Int32 = 64
    /// Goes over every link without being asked for its size.
    private static let longest: Int32 = 1252
    private static let ipv4 = Int32(UInt16(0x0800).bigEndian)
    private static let moreOrOffset = Int32(UInt16(0x3fff).bigEndian)

    private var code = Assembler()
    private let usual: Assembler.Label

    /// For packets to these ports. `ways` has the slot of each stream in `streams`. `loopback`: the interface of that name.
    static func instructions(ways: Int32, streams: Int32, ports: ClosedRange<UInt16>, loopback: Int32) -> [UInt64] {
        var program = ForwardingProgram()
        program.examineFrame(ports)
        program.find(ways, streams)
        program.examineStream(loopback)
        program.count()
        program.prepare()
        program.rewrite()
        program.send()
        return program.code.instructions
    }

    private init() { usual = code.label() }

    private func offset(_ field: PartialKeyPath<tandem_flow>) -> Int {
        guard let offset = MemoryLayout<tandem_flow>.offset(of: field) else { preconditionFailure("a field of C has a place") }
        return offset
    }

    // r6: the packet's description. r7: its bytes. r8: the length of UDP's payload. r9: its stream.

    private mutating func examineFrame(_ ports: ClosedRange<UInt16>) {
        code.move(.r6, .r1)
        code.load(.word, .r7, from: .r6, Packet.start)
        code.load(.word, .r3, from: .r6, Packet.end)
        code.move(.r4, .r7)
        code.apply(.add, .r4, Int32(Offset.end))
        code.jump(usual, if: .r4, .greater, .r3)
        code.load(.half, .r5, from: .r7, Offset.type)
        code.jump(usual, if: .r5, .notEqual, Self.ipv4)
        code.load(.byte, .r5, from: .r7, Offset.ip)
        code.jump(usual, if: .r5, .notEqual, 0x45)
        code.load(.byte, .r5, from: .r7, Offset.transport)
        code.jump(usual, if: .r5, .notEqual, 17)
        code.load(.half, .r5, from: .r7, Offset.ports + 2)
        code.swap(.r5, bits: 16)
        code.jump(usual, if: .r5, .less, Int32(ports.lowerBound))
        code.jump(usual, if: .r5, .greater, Int32(ports.upperBound))
        // Version 2 without padding, extension and contributing sources: the header of nearly all that plain phones send.
        code.load(.byte, .r5, from: .r7, Offset.rtp)
        code.jump(usual, if: .r5, .notEqual, 0x80)
        code.load(.half, .r5, from: .r7, Offset.fragment)
        code.apply(.and, .r5, Self.moreOrOffset)
        code.jump(usual, if: .r5, .notEqual, 0)
        for field in [Packet.pieceLength, Packet.isTagged] {
            code.load(.word, .r5, from: .r6, field)
            code.jump(usual, if: .r5, .notEqual, 0)
        }

        // What the headers say of the length, and what is there.
        code.load(.half, .r8, from: .r7, Offset.udpLength)
        code.swap(.r8, bits: 16)
        code.load(.half, .r5, from: .r7, Offset.totalLength)
        code.swap(.r5, bits: 16)
        code.move(.r4, .r8)
        code.apply(.add, .r4, 20)
        code.jump(usual, if: .r4, .notEqual, .r5)
        code.apply(.add, .r4, Int32(Offset.ip))
        code.load(.word, .r5, from: .r6, Packet.length)
        code.jump(usual, if: .r5, .less, .r4)
        code.apply(.subtract, .r8, 8)
        code.jump(usual, if: .r8, .less, 13)
        code.jump(usual, if: .r8, .greater, Self.longest)
    }

    private mutating func find(_ ways: Int32, _ streams: Int32) {
        for part in [0, 4, 8] { code.copy(.word, from: .r7, Offset.addresses + part, to: .stack, Stack.key + part, by: .r5) }
        look(in: ways, for: Stack.key)
        code.copy(.word, from: .r0, 0, to: .stack, Stack.slot, by: .r5)
        look(in: streams, for: Stack.slot)
        code.move(.r9, .r0)
    }

    private mutating func look(in table: Int32, for key: Int) {
        code.load(table: table, .r1)
        code.move(.r2, .stack)
        code.apply(.add, .r2, Int32(key))
        code.call(Function.find)
        code.jump(usual, if: .r0, .equal, 0)
    }

    private mutating func examineStream(_ loopback: Int32) {
        code.load(.byte, .r5, from: .r7, Offset.rtp + 1)
        code.apply(.and, .r5, 0x7f)
        code.load(.byte, .r4, from: .r9, offset(\.payload_type))
        code.jump(usual, if: .r5, .notEqual, .r4)
        code.load(.word, .r5, from: .r7, Offset.rtp + 8)
        code.load(.word, .r4, from: .r9, offset(\.ssrc))
        code.jump(usual, if: .r5, .notEqual, .r4)

        let anyLength = code.label()
        code.load(.half, .r4, from: .r9, offset(\.length))
        code.jump(anyLength, if: .r4, .equal, 0)
        code.jump(usual, if: .r4, .notEqual, .r8)
        code.place(anyLength)

        // What came from elsewhere and is for this machine would have a source that is this machine, too: nobody would take it.
        let isElsewhere = code.label()
        code.load(.byte, .r4, from: .r9, offset(\.is_local))
        code.jump(isElsewhere, if: .r4, .equal, 0)
        code.load(.word, .r5, from: .r6, Packet.interface)
        code.jump(usual, if: .r5, .notEqual, loopback)
        code.place(isElsewhere)

        code.load(.word, .r5, from: .r7, Offset.rtp + 4)
        code.swap(.r5, bits: 32)
        code.load(.word, .r4, from: .r9, offset(\.timestamp))
        code.apply32(.subtract, .r5, .r4)
        code.load(.word, .r4, from: .r9, offset(\.timestamp_gap))
        code.jump(usual, if: .r5, .greater, .r4)

        code.load(.half, .r5, from: .r7, Offset.rtp + 2)
        code.swap(.r5, bits: 16)
        code.load(.half, .r4, from: .r9, offset(\.next_sequence))
        code.jump(usual, if: .r5, .notEqual, .r4)
        code.apply(.add, .r5, 1)
        code.store(.half, .r5, to: .r9, offset(\.next_sequence))
    }

    /// Packets, octets, and RFC 3550 A.8 in nanoseconds.
    private mutating func count() {
        let (isEarly, isKnown) = (code.label(), code.label())
        code.call(Function.now)
        code.load(.double, .r4, from: .r9, offset(\.arrived))
        code.store(.double, .r0, to: .r9, offset(\.arrived))
        code.apply(.subtract, .r0, .r4)
        code.load(.word, .r5, from: .r7, Offset.rtp + 4)
        code.swap(.r5, bits: 32)
        code.load(.word, .r4, from: .r9, offset(\.timestamp))
        code.store(.word, .r5, to: .r9, offset(\.timestamp))
        code.apply32(.subtract, .r5, .r4)
        code.apply(.shiftLeft, .r5, 32)
        code.apply(.shiftRightSigned, .r5, 32)
        code.load(.word, .r4, from: .r9, offset(\.tick))
        code.apply(.multiply, .r5, .r4)
        code.apply(.subtract, .r0, .r5)
        // The magnitude is in r1.
        code.jump(isEarly, if: .r0, .signedLess, 0)
        code.move(.r1, .r0)
        code.jump(isKnown)
        code.place(isEarly)
        code.move(.r1, 0)
        code.apply(.subtract, .r1, .r0)
        code.place(isKnown)
        code.load(.double, .r4, from: .r9, offset(\.jitter))
        code.move(.r5, .r4)
        code.apply(.shiftRight, .r5, 4)
        code.apply(.subtract, .r4, .r5)
        code.apply(.add, .r4, .r1)
        code.store(.double, .r4, to: .r9, offset(\.jitter))

        code.load(.double, .r4, from: .r9, offset(\.packets))
        code.apply(.add, .r4, 1)
        code.store(.double, .r4, to: .r9, offset(\.packets))
        code.load(.double, .r4, from: .r9, offset(\.octets))
        code.apply(.add, .r4, .r8)
        code.store(.double, .r4, to: .r9, offset(\.octets))
    }

    /// What changes, before and after, and what difference that makes to checksums.
    private mutating func prepare() {
        code.copy(.word, from: .stack, Stack.key + 8, to: .stack, Stack.before, by: .r5)
        for part in [0, 4, 8] { code.copy(.word, from: .r7, Offset.rtp + part, to: .stack, Stack.before + 4 + part, by: .r5) }

        code.copy(.word, from: .r9, offset(\.source_port), to: .stack, Stack.after, by: .r5)
        code.store(.byte, constant: Int32(Int8(bitPattern: 0x80)), to: .stack, Stack.after + 4)
        code.load(.byte, .r5, from: .r7, Offset.rtp + 1)
        code.apply(.and, .r5, 0x80)
        code.load(.byte, .r4, from: .r9, offset(\.new_payload_type))
        code.apply(.or, .r5, .r4)
        code.store(.byte, .r5, to: .stack, Stack.after + 5)
        code.load(.half, .r5, from: .r7, Offset.rtp + 2)
        code.swap(.r5, bits: 16)
        code.load(.half, .r4, from: .r9, offset(\.sequence_shift))
        code.apply(.add, .r5, .r4)
        code.swap(.r5, bits: 16)
        code.store(.half, .r5, to: .stack, Stack.after + 6)
        code.load(.word, .r5, from: .r7, Offset.rtp + 4)
        code.swap(.r5, bits: 32)
        code.load(.word, .r4, from: .r9, offset(\.timestamp_shift))
        code.apply(.add, .r5, .r4)
        code.swap(.r5, bits: 32)
        code.store(.word, .r5, to: .stack, Stack.after + 8)
        code.copy(.word, from: .r9, offset(\.new_ssrc), to: .stack, Stack.after + 12, by: .r5)

        difference(from: (.stack, Stack.key), to: (.r9, offset(\.source)), length: 8)
        code.store(.double, .r0, to: .stack, Stack.addressDifference)
        difference(from: (.stack, Stack.before), to: (.stack, Stack.after), length: 16)
        code.store(.double, .r0, to: .stack, Stack.otherDifference)
    }

    private mutating func difference(from: (Assembler.Register, Int), to: (Assembler.Register, Int), length: Int32) {
        code.move(.r1, from.0)
        code.apply(.add, .r1, Int32(from.1))
        code.move(.r2, length)
        code.move(.r3, to.0)
        code.apply(.add, .r3, Int32(to.1))
        code.move(.r4, length)
        code.move(.r5, 0)
        code.call(Function.difference)
    }

    private mutating func rewrite() {
        // Congestion is told on (RFC 3168 §5).
        code.load(.byte, .r5, from: .r7, Offset.service)
        code.apply(.and, .r5, 3)
        code.load(.byte, .r4, from: .r9, offset(\.service))
        code.apply(.or, .r5, .r4)
        code.store(.byte, .r5, to: .r7, Offset.service)
        code.store(.byte, constant: Self.hops, to: .r7, Offset.hops)
        code.store(.half, constant: 0, to: .r7, Offset.ipChecksum)
        for part in [0, 4] { code.copy(.word, from: .r9, offset(\.source) + part, to: .r7, Offset.addresses + part, by: .r5) }
        code.copy(.word, from: .stack, Stack.after, to: .r7, Offset.ports, by: .r5)
        for part in [0, 4, 8] { code.copy(.word, from: .stack, Stack.after + 4 + part, to: .r7, Offset.rtp + part, by: .r5) }

        // RFC 791 §3.1: the sum of all halves of the header.
        code.move(.r1, 0)
        code.move(.r2, 0)
        code.move(.r3, .r7)
        code.apply(.add, .r3, Int32(Offset.ip))
        code.move(.r4, 20)
        code.move(.r5, 0)
        code.call(Function.difference)
        for _ in 0..<2 {
            code.move(.r4, .r0)
            code.apply(.shiftRight, .r4, 16)
            code.apply(.and, .r0, 0xffff)
            code.apply(.add, .r0, .r4)
        }
        code.move(.r4, 0xffff)
        code.apply(.subtract, .r4, .r0)
        code.store(.half, .r4, to: .r7, Offset.ipChecksum)

        // Whatever the frame's address was, it is for the interface of this machine.
        let isElsewhere = code.label()
        code.load(.byte, .r4, from: .r9, offset(\.is_local))
        code.jump(isElsewhere, if: .r4, .equal, 0)
        code.store(.word, constant: 0, to: .r7, 0)
        code.store(.half, constant: 0, to: .r7, 4)
        code.place(isElsewhere)

        // From here on the packet's bytes are out of reach.
        replaceChecksum(Stack.addressDifference, Flag.addressesAreSummed | Flag.zeroIsNone)
        replaceChecksum(Stack.otherDifference, Flag.zeroIsNone)
    }

    private mutating func replaceChecksum(_ difference: Int, _ flags: Int32) {
        code.move(.r1, .r6)
        code.move(.r2, Int32(Offset.udpChecksum))
        code.move(.r3, 0)
        code.load(.double, .r4, from: .stack, difference)
        code.move(.r5, flags)
        code.call(Function.replaceChecksum)
    }

    private mutating func send() {
        let isElsewhere = code.label()
        code.copy(.word, from: .r9, offset(\.priority), to: .r6, Packet.priority, by: .r5)
        code.load(.word, .r1, from: .r9, offset(\.interface))
        code.move(.r2, 0)
        code.load(.byte, .r4, from: .r9, offset(\.is_local))
        code.jump(isElsewhere, if: .r4, .equal, 0)
        code.call(Function.redirect)
        code.exit()
        code.place(isElsewhere)
        code.move(.r3, 0)
        code.move(.r4, 0)
        code.call(Function.redirectToNeighbour)
        code.exit()

        code.place(usual)
        code.move(.r0, Self.goOn)
        code.exit()
    }
}
