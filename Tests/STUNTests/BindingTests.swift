import Addresses
import Bytes
import STUN
import Testing

@Suite("STUN: Binding")
struct BindingTests {
    private static let head = "2112a442b7e7a701bc34d686fa87dfae"
    private static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)
    private static let request =
        "00010058" + head + "802200105354554e207465737420636c69656e74" + "002400046e0001ff" + "80290008932ff9b151263b36"
        + "000600096576746a3a68367659202020" + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" + "80280004e57a3bcf"
    private static let responseIPv4 =
        "0101003c" + head + "8022000b7465737420766563746f7220" + "002000080001a147e112a643"
        + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96"
    private static let responseIPv6 =
        "01010048" + head + "8022000b7465737420766563746f7220" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" + "80280004c8fb0b4c"

    /// A message with its bytes, whose spans must not appear in an expectation.
    private struct Read {
        let bytes: [UInt8]
        let message: Message
        init(_ bytes: [UInt8]) throws(ParseError) { (self.bytes, message) = (bytes, try Message(parsing: bytes.span)) }
        func value(_ type: AttributeType) -> [UInt8]? { message.value(type, in: bytes.span) }
        func isAuthentic(_ key: [UInt8]) -> Bool { message.isAuthentic(bytes.span, key: key) }
        var priority: UInt32? { get throws { try message.priority(in: bytes.span) } }
        var tieBreaker: UInt64? { get throws { try message.tieBreaker(.iceControlled, in: bytes.span) } }
        var address: SocketAddress? { get throws { try message.mappedAddress(in: bytes.span) } }
        var errorCode: Int? { get throws { try message.errorCode(in: bytes.span) } }
    }

    private func isMessage(_ bytes: some Collection<UInt8>) -> Bool { Message.isMessage(Array(bytes).span) }

    private func bytes(_ text: String) throws -> [UInt8] { try #require(Hexadecimal.decode(Array(text.utf8))) }

    private func answer(_ request: [UInt8], from source: String) throws -> [UInt8] {
        let address = try #require(SocketAddress(source))
        return try [UInt8](capacity: BindingServer.answerLength) { output in
            _ = try BindingServer.answer(request.span, from: address, into: &output)
        }
    }

    @Test("RFC 5769 §2.1: the sample request with its integrity and fingerprint")
    func sampleRequest() throws {
        let read = try Read(try bytes(Self.request))
        let message = read.message
        #expect(message.kind == .request && message.method == 1 && message.hasFingerprint)
        #expect(read.value(.username) == Array("evtj:h6vY".utf8))
        #expect(try read.priority == 0x6e00_01ff)
        #expect(try read.tieBreaker == 0x932f_f9b1_5126_3b36)
        #expect(read.isAuthentic(Self.password))
        #expect(!read.isAuthentic(Array("other".utf8)))
    }

    @Test(
        "RFC 5769 §2.2, §2.3: the sample responses",
        arguments: [(responseIPv4, "192.0.2.1:32853"), (responseIPv6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")])
    func sampleResponse(text: String, address: String) throws {
        let read = try Read(try bytes(text))
        #expect(read.message.kind == .success)
        #expect(try read.address == SocketAddress(address))
        #expect(read.isAuthentic(Self.password))
    }

    @Test("RFC 8489 §14.7: one changed bit anywhere is noticed", arguments: 0..<108)
    func changedBit(at index: Int) throws {
        var bytes = try bytes(Self.request)
        bytes[index] ^= 1
        // In the type of the fingerprint itself, it makes a message that has none.
        if (100..<102).contains(index) {
            #expect(try !Read(bytes).message.hasFingerprint)
        } else {
            #expect(throws: ParseError.self) { try Read(bytes) }
        }
    }

    @Test("RFC 8489 §5: whatever is cut off is no message") func cut() throws {
        let whole = try bytes(Self.request)
        for length in 0..<whole.count { #expect(!isMessage(whole[..<length])) }
        #expect(isMessage(whole))
        #expect(!isMessage(Array("OPTIONS sip:a SIP/2.0\r\n".utf8)))
    }

    @Test("RFC 5626 §4.4.2: a client learns its address", arguments: ["192.0.2.9:5060", "[2001:db8::9]:5060"])
    func keepAlive(source: String) throws {
        let request = try bytes("00010000" + Self.head)
        let answer = try answer(request, from: source)
        let read = try Read(answer)
        #expect(read.message.kind == .success && !read.message.hasFingerprint)
        #expect(answer[4..<20] == request[4..<20])
        #expect(try read.address == SocketAddress(source))
        // RELIABILITY V17, on the wire: with the headers of IP and UDP.
        let headers = source.hasPrefix("[") ? 48 : 28
        #expect(2 * (answer.count + headers) <= 3 * (request.count + headers))
    }

    @Test("RFC 8489 §7.3: who sends a fingerprint gets one") func fingerprint() throws {
        let answer = try answer(try bytes(Self.request), from: "192.0.2.1:32853")
        #expect(try Read(answer).message.hasFingerprint)
    }

    @Test("RFC 8489 §6.3.1: an unknown attribute that must be understood is named") func unknown() throws {
        let answer = try answer(try bytes("00010008" + Self.head + "7abc0001ff000000"), from: "192.0.2.1:1")
        let read = try Read(answer)
        #expect(read.message.kind == .failure)
        #expect(try read.errorCode == 420)
        #expect(read.value(.unknownAttributes) == [0x7a, 0xbc])
    }

    @Test("responses, indications and other methods are not answered", arguments: ["0101", "0011", "0111", "0003"])
    func silent(type: String) throws {
        #expect(try answer(try bytes(type + "0000" + Self.head), from: "192.0.2.1:1").isEmpty)
    }

    @Test("§6.3: attributes that do not fit are refused")
    func malformed() throws {
        let table: [(String, ParseError)] = [
            ("00010004" + Self.head + "00060001", .truncated),
            ("00010004" + Self.head + "0006ffff", .truncated),
            ("00010008" + Self.head + "0008000400000000", .badAttribute),
            ("00010044" + Self.head + String(repeating: "00250000", count: 17), .tooManyAttributes),
            ("00010008" + Self.head + "8028000400000000", .badFingerprint),
        ]
        for (text, error) in table {
            let bytes = try bytes(text)
            #expect(throws: error, "\(text)") { try Read(bytes) }
        }
    }
}
