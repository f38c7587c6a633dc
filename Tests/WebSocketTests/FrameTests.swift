import Testing
import WebSocket

@Suite("WebSocket frames")
struct FrameTests {
    static let hello = Array("Hello".utf8)

    /// The examples of RFC 6455 §5.7: name, bytes, frame, who reads it.
    static let examples: [(name: String, bytes: [UInt8], frames: [Frame], reader: Role)] = [
        ("unmasked text", [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], [Frame(.text, hello)], .client),
        (
            "masked text", [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], [Frame(.text, hello)], .server
        ),
        (
            "fragmented", [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f],
            [Frame(.text, Array("Hel".utf8), isFinal: false), Frame(.continuation, Array("lo".utf8))], .client
        ),
        ("ping", [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], [Frame(.ping, hello)], .client),
        ("masked pong", [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], [Frame(.pong, hello)], .server),
        (
            "256 bytes", [0x82, 0x7e, 0x01, 0x00] + [UInt8](repeating: 7, count: 256),
            [Frame(.binary, [UInt8](repeating: 7, count: 256))], .client
        ),
        (
            "64 KiB", [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 7, count: 65_536),
            [Frame(.binary, [UInt8](repeating: 7, count: 65_536))], .client
        ),
    ]

    @Test("RFC 6455 §5.7: the examples are read and written as printed", arguments: examples.indices)
    func example(_ index: Int) throws {
        let example = Self.examples[index]
        var parser = FrameParser(role: example.reader, payloadLimit: 65_536)
        parser.append(example.bytes)
        for frame in example.frames { #expect(try parser.next() == frame) }
        #expect(try parser.next() == nil)
        let mask: UInt32? = example.reader == .server ? 0x37fa_213d : nil
        #expect(example.frames.flatMap { $0.serialised(mask: mask) } == example.bytes)
    }

    @Test("§5.2: a frame that ends at any byte is waited for", arguments: [0, 5, 125, 126, 300, 65_536])
    func truncation(_ length: Int) throws {
        let frame = Frame(.binary, (0..<length).map { UInt8(truncatingIfNeeded: $0) })
        let bytes = frame.serialised(mask: 0x0102_0304)
        for cut in Set([0, 1, 2, 3, 4, 5, 8, 10, 13, bytes.count / 2, bytes.count - 1]) where cut < bytes.count {
            var parser = FrameParser(role: .server, payloadLimit: 65_536)
            parser.append(Array(bytes[..<cut]))
            #expect(try parser.next() == nil)
            parser.append(Array(bytes[cut...]))
            #expect(try parser.next() == frame)
            #expect(parser.bufferedCount == 0)
        }
    }

    static let wrong: [(FrameError, [UInt8])] = [
        (.reservedBits, [0xc1, 0x80]), (.unknownOpcode, [0x83, 0x80]), (.unknownOpcode, [0x8b, 0x80]),
        (.wrongMasking, [0x81, 0x05]), (.fragmentedControlFrame, [0x09, 0x80]), (.longControlFrame, [0x89, 0xfe, 0, 126]),
        (.wastefulLength, [0x82, 0xfe, 0, 125]), (.wastefulLength, [0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        (.tooLong, [0x82, 0xfe, 0x03, 0xe9]), (.tooLong, [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ]

    @Test("§5.2, §5.5: what may not be is refused by its header alone", arguments: wrong)
    func refused(_ error: FrameError, _ bytes: [UInt8]) {
        var parser = FrameParser(role: .server, payloadLimit: 1_000)
        parser.append(bytes)
        #expect(throws: error) { try parser.next() }
    }
}
