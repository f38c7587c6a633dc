import Addresses
import HEP
import Testing

@Suite("HEP version 3")
struct PacketTests {
    private func encode(_ packet: Packet, node: String = "", password: String = "", correlation: String = "", payload: String, room: Int = 2_000)
        throws -> [UInt8]
    {
        let (node, password) = (Array(node.utf8), Array(password.utf8))
        let (correlation, payload) = (Array(correlation.utf8), Array(payload.utf8))
        return try [UInt8](capacity: room) { (output) throws(EncodeError) in
            try packet.encode(
                node: node.span, password: password.span, correlation: correlation.span, payload: payload.span, into: &output)
        }
    }

    private func packet(_ source: String, _ destination: String, _ carrier: Packet.Carrier = .udp) throws -> Packet {
        Packet(
            source: try #require(SocketAddress(source)), destination: try #require(SocketAddress(destination)), carrier: carrier,
            microseconds: 1_700_000_000_000_042, captureID: 7)
    }

    @Test("Every byte of a small packet stands where the format wants it")
    func vector() throws {
        let bytes = try encode(packet("192.0.2.1:5060", "198.51.100.2:5070"), node: "n", correlation: "c@h", payload: "hi")
        let expected: [UInt8] = [
            0x48, 0x45, 0x50, 0x33, 0, 117,
            0, 0, 0, 1, 0, 7, 2,
            0, 0, 0, 2, 0, 7, 17,
            0, 0, 0, 3, 0, 10, 192, 0, 2, 1,
            0, 0, 0, 4, 0, 10, 198, 51, 100, 2,
            0, 0, 0, 7, 0, 8, 0x13, 0xc4,
            0, 0, 0, 8, 0, 8, 0x13, 0xce,
            0, 0, 0, 9, 0, 10, 0x65, 0x53, 0xf1, 0x00,
            0, 0, 0, 10, 0, 10, 0, 0, 0, 42,
            0, 0, 0, 11, 0, 7, 1,
            0, 0, 0, 12, 0, 10, 0, 0, 0, 7,
            0, 0, 0, 19, 0, 7, 0x6e,
            0, 0, 0, 17, 0, 9, 0x63, 0x40, 0x68,
            0, 0, 0, 15, 0, 8, 0x68, 0x69,
        ]
        #expect(bytes == expected)
    }

    @Test(
        "What is encoded is decoded, and its length was foretold",
        arguments: [
            ("127.0.0.1:5060", "127.0.0.2:65535", Packet.Carrier.udp), ("[::1]:5061", "[2001:db8::2]:5060", .tcp),
            ("192.0.2.1:1", "[2001:db8::2]:0", .tcp),
        ])
    func roundTrip(_ source: String, _ destination: String, _ carrier: Packet.Carrier) throws {
        let packet = try packet(source, destination, carrier)
        let bytes = try encode(
            packet, node: "edge-1", password: "secret", correlation: "a84b4c76e66710", payload: "OPTIONS sip:a SIP/2.0\r\n\r\n")
        #expect(bytes.count == packet.encodedCount(node: 6, password: 6, correlation: 14, payload: 25))
        let capture = try CapturedMessage(parsing: bytes.span)
        #expect(capture.packet == packet)
        #expect(capture.node == Array("edge-1".utf8))
        #expect(capture.password == Array("secret".utf8))
        #expect(capture.correlation == Array("a84b4c76e66710".utf8))
        #expect(capture.payload == Array("OPTIONS sip:a SIP/2.0\r\n\r\n".utf8))
    }

    @Test("Nothing is written where there is no room, or where 16 bits cannot say the length")
    func tooLong() throws {
        let packet = try packet("192.0.2.1:5060", "198.51.100.2:5070")
        let whole = packet.encodedCount(node: 0, correlation: 0, payload: 2)
        #expect(try encode(packet, payload: "hi", room: whole).count == whole)
        #expect(throws: EncodeError.tooLong) { try encode(packet, payload: "hi", room: whole - 1) }
        let long = String(repeating: "x", count: 65_500)
        #expect(throws: EncodeError.tooLong) { try encode(packet, payload: long, room: 70_000) }
    }

    @Test("A packet cut or lengthened at any byte is an error and no trap")
    func cuts() throws {
        let bytes = try encode(packet("[::1]:5061", "[::1]:5060"), node: "n", correlation: "c", payload: "hello")
        for count in 0..<bytes.count {
            var cut = Array(bytes[..<count])
            #expect(throws: ParseError.self) { try CapturedMessage(parsing: cut.span) }
            guard count >= 6 else { continue }
            (cut[4], cut[5]) = (UInt8(count >> 8), UInt8(count & 255))
            // Cut between two chunks it is whole but lacks its payload, which comes last.
            #expect(throws: ParseError.self) { try CapturedMessage(parsing: cut.span) }
        }
        for index in bytes.indices {
            for value in [UInt8(0), 1, 0x7f, 0xff] {
                var changed = bytes
                changed[index] = value
                _ = try? CapturedMessage(parsing: changed.span)
            }
        }
        #expect(throws: ParseError.wrongLength) { try CapturedMessage(parsing: (bytes + [0]).span) }
    }
}
