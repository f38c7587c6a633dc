import Addresses
import Bytes
import STUN
import Testing

/// A message with its bytes, whose spans must not appear in an expectation.
private struct Read {
    let bytes: [UInt8]
    let message: Message
    init(_ bytes: [UInt8]) throws(ParseError) { (self.bytes, message) = (bytes, try Message(parsing: bytes.span)) }
    var address: SocketAddress? { get throws { try message.mappedAddress(in: bytes.span) } }
    var errorCode: Int? { get throws { try message.errorCode(in: bytes.span) } }
    var priority: UInt32? { get throws { try message.priority(in: bytes.span) } }
    var transaction: TransactionID { message.transaction(in: bytes.span) }
    func tieBreaker(_ role: AttributeType) throws -> UInt64? { try message.tieBreaker(role, in: bytes.span) }
    func value(_ type: AttributeType) -> [UInt8]? { message.value(type, in: bytes.span) }
    func isAuthentic(_ key: String) -> Bool { message.isAuthentic(bytes.span, key: Array(key.utf8)) }
}

@Suite("STUN: writing")
struct MessageWriterTests {
    private let transaction = TransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae)
    private let password = "VOkJxbRl1RmTxUk/WvJxBt"

    @Test("RFC 5769 §2.1: the sample request, octet for octet but for the padding it fills with spaces")
    func sampleRequest() throws {
        var writer = MessageWriter(.request, transaction: transaction)
        writer.text(.software, Array("STUN test client".utf8))
        writer.priority(0x6e00_01ff)
        writer.tieBreaker(.iceControlled, 0x932f_f9b1_5126_3b36)
        writer.text(.username, Array("evtj:h6vY".utf8))
        let bytes = writer.sealed(key: Array(password.utf8))
        let head = try #require(
            Hexadecimal.decode(
                Array(
                    ("000100582112a442b7e7a701bc34d686fa87dfae" + "802200105354554e207465737420636c69656e74" + "002400046e0001ff"
                        + "80290008932ff9b151263b36" + "000600096576746a3a68367659").utf8)))
        #expect(Array(bytes.prefix(head.count)) == head)
        let read = try Read(bytes)
        #expect(read.message.hasFingerprint && read.isAuthentic(password) && !read.isAuthentic("other"))
        #expect(read.transaction == transaction)
    }

    @Test(
        "RFC 8489 §14.2: an address written is the address read, in both families",
        arguments: ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853", "0.0.0.0:0", "[::]:65535"])
    func mappedAddress(text: String) throws {
        let address = try #require(SocketAddress(text))
        var writer = MessageWriter(.success, transaction: transaction)
        writer.mappedAddress(address)
        let read = try Read(writer.fingerprinted())
        #expect(read.message.kind == .success && read.message.hasFingerprint)
        #expect(try read.address == address)
    }

    @Test("RFC 8489 §5: class and method stand where they belong", arguments: [Message.Class.request, .indication, .success, .failure])
    func classes(kind: Message.Class) throws {
        for method: UInt16 in [1, 0x0fff, 0x0555, 0x0aaa] {
            let message = try Read(MessageWriter(kind, method: method, transaction: transaction).finish()).message
            #expect(message.kind == kind && message.method == method)
        }
    }

    @Test("RFC 8489 §14.8, §14.13: a refusal names its reason and what was not understood", arguments: [400, 401, 420, 487])
    func refusal(code: Int) throws {
        var writer = MessageWriter(.failure, transaction: transaction)
        writer.errorCode(code)
        writer.unknownAttributes([0x7abc, 0x0042, 0x1001])
        let read = try Read(writer.sealed(key: Array(password.utf8)))
        #expect(try read.errorCode == code)
        #expect(read.value(.unknownAttributes) == [0x7a, 0xbc, 0x00, 0x42, 0x10, 0x01])
        #expect(read.isAuthentic(password))
    }

    @Test("RFC 8445 §16.1: what a check says of its sender is read back")
    func check() throws {
        var writer = MessageWriter(.request, transaction: transaction)
        writer.text(.username, Array("b:a".utf8))
        writer.priority(1_862_270_975)
        writer.tieBreaker(.iceControlling, .max)
        writer.useCandidate()
        let read = try Read(writer.sealed(key: Array(password.utf8)))
        #expect(try read.priority == 1_862_270_975 && read.tieBreaker(.iceControlling) == .max && read.tieBreaker(.iceControlled) == nil)
        #expect(read.message.contains(.useCandidate) && read.value(.username) == Array("b:a".utf8))
    }

    @Test("RFC 8489 §14.5: one changed bit makes a message a stranger's, whatever its checksum says")
    func changed() throws {
        var writer = MessageWriter(.request, transaction: transaction)
        writer.text(.username, Array("b:a".utf8))
        var bytes = writer.sealed(key: Array(password.utf8))
        bytes.removeLast(8)
        bytes[3] -= 8
        #expect(try Read(bytes).isAuthentic(password))
        for index in 8..<bytes.count where !(20..<24).contains(index) && !(28..<32).contains(index) {
            var other = bytes
            other[index] ^= 1
            guard let read = try? Read(other) else { continue }
            #expect(!read.isAuthentic(password), "\(index)")
        }
    }
}
