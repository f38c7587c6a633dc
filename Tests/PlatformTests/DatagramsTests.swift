import Addresses
import Datagrams
import Glibc
import Testing

@Suite("Datagrams: sockets and batches")
struct DatagramsTests {
    static let loopbacks = [SocketAddress(.loopbackIPv4, port: 0), SocketAddress(IPAddress(v6High: 0, v6Low: 1), port: 0)]

    private func bytes(_ datagram: borrowing ReceiveBatch.Datagram) -> [UInt8] {
        datagram.bytes.indices.map { datagram.bytes[$0] }
    }

    /// Loopback delivers within the call; a busy machine may still need a moment.
    private func receive(_ socket: borrowing DatagramSocket, into batch: inout ReceiveBatch, limit: Int = .max) -> Int {
        for _ in 0..<200 {
            let count = socket.receive(into: &batch, limit: limit)
            if count > 0 { return count }
            usleep(1000)
        }
        return 0
    }

    @Test("A datagram arrives with the address of its sender", arguments: loopbacks)
    func sourceAddress(_ address: SocketAddress) throws {
        let sender = try DatagramSocket(bind: address)
        let receiver = try DatagramSocket(bind: address)
        var batch = ReceiveBatch(capacity: 4)
        #expect(receiver.receive(into: &batch) == 0)
        #expect(sender.send([1, 2, 3], to: receiver.localAddress) == .sent)
        #expect(receive(receiver, into: &batch) == 1)
        #expect(bytes(batch[0]) == [1, 2, 3])
        let source = batch[0].source
        #expect(source == sender.localAddress)
        let isTruncated = batch[0].isTruncated
        #expect(!isTruncated)
    }

    @Test("RFC 2474: packets are marked with the code point asked for, in both families", arguments: loopbacks)
    func marks(_ address: SocketAddress) throws {
        let socket = try DatagramSocket(bind: address)
        try socket.mark(dscp: 46)
        var (octet, length): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
        let (level, option) = address.address.isIPv4 ? (Int32(IPPROTO_IP), IP_TOS) : (Int32(IPPROTO_IPV6), IPV6_TCLASS)
        #expect(unsafe getsockopt(socket.descriptor, level, option, &octet, &length) == 0)
        #expect(octet == 46 << 2)
    }

    @Test("A batch is sent whole and received whole, in order, and can be used again", arguments: loopbacks)
    func batches(_ address: SocketAddress) throws {
        let sender = try DatagramSocket(bind: address)
        let receiver = try DatagramSocket(bind: address)
        var outgoing = SendBatch(capacity: 8)
        var incoming = ReceiveBatch(capacity: 16)
        for round in UInt8(0)..<3 {
            for number in UInt8(0)..<8 {
                let added = outgoing.append(to: receiver.localAddress) { output in
                    for byte in [round, number] { output.append(byte) }
                }
                #expect(added)
            }
            let isFull = outgoing.isFull
            #expect(isFull)
            let refused = outgoing.append([9], to: receiver.localAddress)
            #expect(!refused)
            #expect(sender.send(&outgoing) == 0)
            let isEmpty = outgoing.isEmpty
            #expect(isEmpty)
            #expect(receive(receiver, into: &incoming) == 8)
            for number in 0..<8 { #expect(bytes(incoming[number]) == [round, UInt8(number)]) }
        }
    }

    @Test("Each peer of a mixed batch gets its own datagrams whole and in order, whatever their lengths", arguments: loopbacks)
    func mixedBatch(_ address: SocketAddress) throws {
        let sender = try DatagramSocket(bind: address)
        let first = try DatagramSocket(bind: address)
        let second = try DatagramSocket(bind: address)
        let peers = [first.localAddress, second.localAddress]
        // Runs of one length, a shorter one that ends a run, a longer one behind it, and one that no run can hold.
        let lengths = [300, 300, 300, 120, 300, 1_452, 1_452, 1_453, 9_000, 9_000, 1, 1, 1, 2]
        var outgoing = SendBatch(capacity: 100, size: 20_000)
        for round in UInt8(0)..<3 {
            for (number, length) in lengths.enumerated() {
                for receiver in UInt8(0)..<2 {
                    let datagram = [UInt8](repeating: round &* 64 &+ UInt8(number) &* 2 &+ receiver, count: length)
                    let added = outgoing.append(datagram, to: peers[Int(receiver)])
                    #expect(added)
                }
            }
            #expect(sender.send(&outgoing) == 0)
            for receiver in UInt8(0)..<2 {
                var incoming = ReceiveBatch(capacity: 32, size: 20_000)
                let count = receiver == 0 ? receive(first, into: &incoming) : receive(second, into: &incoming)
                #expect(count == lengths.count)
                for (number, length) in lengths.enumerated() {
                    #expect(
                        bytes(incoming[number])
                            == [UInt8](repeating: round &* 64 &+ UInt8(number) &* 2 &+ receiver, count: length))
                }
            }
        }
    }

    @Test("Datagrams of one sequence never overtake each other, whatever is sent together with those of others", arguments: loopbacks)
    func sequences(_ address: SocketAddress) throws {
        let sender = try DatagramSocket(bind: address)
        let receiver = try DatagramSocket(bind: address)
        var outgoing = SendBatch(capacity: 100)
        // As of calls whose messages come in bursts: two lengths in turn, in each of 20 sequences and among those without any.
        let lengths = [300, 400, 300, 400]
        for (number, length) in lengths.enumerated() {
            for sequence in UInt8(0)..<21 {
                let added = outgoing.append(to: receiver.localAddress, sequence: sequence < 20 ? UInt64(sequence) : nil) { output in
                    output.write([sequence, UInt8(number)] + [UInt8](repeating: 0, count: length - 2))
                }
                #expect(added)
            }
        }
        #expect(sender.send(&outgoing) == 0)
        var incoming = ReceiveBatch(capacity: 100)
        #expect(receive(receiver, into: &incoming) == 21 * lengths.count)
        var next = [UInt8](repeating: 0, count: 21)
        for position in 0..<21 * lengths.count {
            let datagram = bytes(incoming[position])
            let (sequence, number) = (Int(datagram[0]), datagram[1])
            #expect(number == next[sequence] && datagram.count == lengths[Int(number)])
            next[sequence] += 1
        }
    }

    @Test("A batch is full when the longest datagram would not fit, and empty again once sent")
    func longDatagrams() throws {
        let sender = try DatagramSocket(bind: Self.loopbacks[0])
        let receiver = try DatagramSocket(bind: Self.loopbacks[0])
        var outgoing = SendBatch(capacity: 8, size: 60_000)
        var count = 0
        while !outgoing.isFull {
            let added = outgoing.append([UInt8](repeating: 7, count: 30_000), to: receiver.localAddress)
            #expect(added)
            count += 1
        }
        #expect(count > 0 && count < 8)
        #expect(sender.send(&outgoing) == 0)
        let isFull = outgoing.isFull
        #expect(!isFull)
        var incoming = ReceiveBatch(capacity: 8, size: 60_000)
        #expect(receive(receiver, into: &incoming) == count)
    }

    @Test("A limit of one reads one datagram and leaves the rest")
    func limitOfOne() throws {
        let sender = try DatagramSocket(bind: Self.loopbacks[0])
        let receiver = try DatagramSocket(bind: Self.loopbacks[0])
        for number in UInt8(0)..<3 { sender.send([number], to: receiver.localAddress) }
        var batch = ReceiveBatch(capacity: 8)
        #expect(receive(receiver, into: &batch, limit: 1) == 1)
        #expect(bytes(batch[0]) == [0])
        let source = batch[0].source
        #expect(source == sender.localAddress)
        #expect(receive(receiver, into: &batch) == 2)
    }

    @Test("What does not fit is marked as truncated, not taken for whole")
    func truncation() throws {
        let sender = try DatagramSocket(bind: Self.loopbacks[0])
        let receiver = try DatagramSocket(bind: Self.loopbacks[0])
        sender.send([UInt8](repeating: 5, count: 100), to: receiver.localAddress)
        var batch = ReceiveBatch(capacity: 2, size: 10)
        #expect(receive(receiver, into: &batch) == 1)
        let (isTruncated, length) = (batch[0].isTruncated, batch[0].bytes.count)
        #expect(isTruncated)
        #expect(length == 10)
    }

    @Test("A connected socket hears its peer only, and sends without an address")
    func connectedSocket() throws {
        let peer = try DatagramSocket(bind: Self.loopbacks[0])
        let stranger = try DatagramSocket(bind: Self.loopbacks[0])
        let socket = try DatagramSocket(bind: Self.loopbacks[0])
        try socket.connect(to: peer.localAddress)
        stranger.send([66], to: socket.localAddress)
        peer.send([1], to: socket.localAddress)
        var batch = ReceiveBatch(capacity: 4)
        #expect(receive(socket, into: &batch) == 1)
        #expect(bytes(batch[0]) == [1])
        var outgoing = SendBatch(capacity: 2)
        let added = outgoing.append([7], to: nil)
        #expect(added)
        #expect(socket.send(&outgoing) == 0)
        #expect(socket.send([8]) == .sent)
        #expect(receive(peer, into: &batch) == 2)
        #expect(bytes(batch[1]) == [8])
    }

    @Test("A closed port in a batch does not hold up the datagrams behind it")
    func closedPortDoesNotBlock() throws {
        let gone = try DatagramSocket(bind: Self.loopbacks[0])
        let closed = gone.localAddress
        _ = consume gone
        let sender = try DatagramSocket(bind: Self.loopbacks[0])
        try sender.connect(to: closed)
        // The second send is told of the first one's ICMP error; it must go out all the same.
        #expect(sender.send([1]) == .sent)
        #expect(sender.send([2]) == .sent)
        var batch = ReceiveBatch(capacity: 2)
        #expect(sender.receive(into: &batch) == 0)
    }

    @Test("Several sockets share a port when asked to, and only then")
    func sharedPort() throws {
        let first = try DatagramSocket(bind: Self.loopbacks[0], reusePort: true)
        let second = try DatagramSocket(bind: first.localAddress, reusePort: true)
        #expect(second.localAddress == first.localAddress)
        let error = #expect(throws: SocketError.self) { _ = try DatagramSocket(bind: first.localAddress) }
        #expect(error?.code == EADDRINUSE)
    }

    @Test("Errors say what to do")
    func errorsSayWhatToDo() throws {
        let address = try #require(SocketAddress("127.0.0.1:5060"))
        let table: [(Int32, String)] = [
            (EADDRINUSE, "UDP 127.0.0.1:5060 is in use by another process: stop it or set TANDEM_SIP_LISTEN"),
            (EADDRNOTAVAIL, "UDP 127.0.0.1:5060 is not an address of this machine: set TANDEM_SIP_LISTEN"),
        ]
        for (code, text) in table {
            #expect(SocketError(.udp, address, code: code).description(setting: "TANDEM_SIP_LISTEN") == text)
        }
        let elsewhere = try #require(SocketAddress("192.0.2.1:5060"))
        let error = #expect(throws: SocketError.self) { _ = try DatagramSocket(bind: elsewhere) }
        #expect(error?.description == "UDP 192.0.2.1:5060 is not an address of this machine: choose another address")
        let sender = try DatagramSocket(bind: Self.loopbacks[0])
        #expect(sender.send([UInt8](repeating: 0, count: 70_000), to: sender.localAddress) == .tooLong)
    }

    @Test("What was appended last can be read as it will be sent, until it is sent")
    func last() throws {
        func copy(_ batch: borrowing SendBatch) -> [UInt8] { batch.last.indices.map { batch.last[$0] } }
        let socket = try DatagramSocket(bind: Self.loopbacks[0])
        var batch = SendBatch(capacity: 8)
        #expect(copy(batch).isEmpty)
        for number in UInt8(0)..<3 {
            let isTaken = batch.append([number, 7], to: socket.localAddress)
            #expect(isTaken)
            #expect(copy(batch) == [number, 7])
        }
        #expect(socket.send(&batch) == 0)
        #expect(copy(batch).isEmpty)
    }

    @Test("RFC 1122 §3.2.2.1: who sent where nobody listens is told, once for each datagram, and sends on", arguments: loopbacks)
    func refusals(_ address: SocketAddress) throws {
        let sender = try DatagramSocket(bind: address)
        sender.reportRefusals()
        let receiver = try DatagramSocket(bind: address)
        let nobody = try closed(address)
        #expect(sender.nextRefusal() == nil)
        for _ in 0..<2 { #expect(sender.send([1], to: nobody) == .sent) }
        #expect(sender.send([2], to: receiver.localAddress) == .sent)
        var told: [SocketAddress] = []
        for _ in 0..<200 where told.count < 2 {
            while let refusal = sender.nextRefusal() { told.append(refusal) }
            usleep(1000)
        }
        #expect(told == [nobody, nobody])
        var batch = ReceiveBatch(capacity: 4)
        #expect(receive(receiver, into: &batch) == 1)
        #expect(bytes(batch[0]) == [2])
    }

    /// An address where nobody listens any more.
    private func closed(_ address: SocketAddress) throws -> SocketAddress { try DatagramSocket(bind: address).localAddress }
}
