import Addresses
import Datagrams
import Glibc
import Testing

@testable import MediaRelay

@Suite("MediaRelay: a socket of a phone (RELIABILITY V1, V2)")
struct OutsideSocketTests {
    private struct Rig {
        let socket: OutsideSocket
        let phone: DatagramBox
        let stranger: DatagramBox

        init() throws {
            let loopback = SocketAddress(.loopbackIPv4, port: 0)
            // A port that was named stays when the socket is disconnected, as those of sessions do.
            let port = try DatagramBox(loopback).socket.localAddress.port
            socket = try OutsideSocket(bind: SocketAddress(.loopbackIPv4, port: port), dscp: 0)
            (phone, stranger) = (try DatagramBox(loopback), try DatagramBox(loopback))
        }

        /// The source and the first byte of the next datagram.
        func next() throws -> (source: SocketAddress, byte: UInt8)? {
            var batch = ReceiveBatch(capacity: 1)
            guard socket.receive(into: &batch, from: phone.socket.localAddress) else { return nil }
            return (batch[0].source, try #require(batch[0].bytes.isEmpty ? 0 : batch[0].bytes[0]))
        }
    }

    private final class DatagramBox {
        let socket: DatagramSocket

        init(_ address: SocketAddress) throws { socket = try DatagramSocket(bind: address) }

        func send(_ bytes: [UInt8], to other: OutsideSocket) throws {
            try #require(socket.send(bytes, to: other.socket.localAddress) == .sent)
        }
    }

    @Test("What a stranger sent before the phone was known is the stranger's, behind an empty datagram, too")
    func waiting() throws {
        let rig = try Rig()
        try rig.stranger.send([], to: rig.socket)
        try rig.stranger.send([66], to: rig.socket)
        try rig.phone.send([1], to: rig.socket)
        rig.socket.connect(to: rig.phone.socket.localAddress)
        #expect(rig.socket.isConnected)
        try rig.stranger.send([67], to: rig.socket)
        #expect(try rig.next()?.source == rig.stranger.socket.localAddress)
        let forged = try #require(try rig.next())
        #expect(forged.source == rig.stranger.socket.localAddress && forged.byte == 66)
        let first = try #require(try rig.next())
        #expect(first.source == rig.phone.socket.localAddress && first.byte == 1)
        #expect(try rig.next() == nil, "the kernel keeps the stranger away")
        try rig.phone.send([2], to: rig.socket)
        let second = try #require(try rig.next())
        #expect(second.source == rig.phone.socket.localAddress && second.byte == 2)
    }

    @Test("Disconnected, it hears everybody, and tells them apart")
    func disconnected() throws {
        let rig = try Rig()
        rig.socket.connect(to: rig.phone.socket.localAddress)
        try rig.socket.disconnect()
        try rig.stranger.send([66], to: rig.socket)
        #expect(try rig.next()?.source == rig.stranger.socket.localAddress)
    }
}
