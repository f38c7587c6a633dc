/// The payload of a named event (RFC 4733 §2.3).
public struct TelephoneEvent: Hashable, Sendable {
    /// 0...9, 10 `*`, 11 `#`, 12...15 A...D, 16 flash.
    public var code: UInt8
    public var isEnd: Bool
    /// Power in -dBm0, 0...63.
    public var volume: UInt8
    /// In timestamp units since the event's timestamp.
    public var duration: UInt16

    public static let length = 4

    public init(code: UInt8, isEnd: Bool, volume: UInt8 = 10, duration: UInt16) {
        (self.code, self.isEnd, self.volume, self.duration) = (code, isEnd, volume & 63, duration)
    }

    public init(parsing payload: Span<UInt8>) throws(ParseError) {
        guard payload.count >= Self.length else { throw .truncated }
        self.init(
            code: payload[0], isEnd: payload[1] & 0x80 != 0, volume: payload[1] & 0x3f, duration: payload.bigEndian16(at: 2))
    }

    public func append(to packet: inout [UInt8]) {
        packet.append(code)
        packet.append((isEnd ? 0x80 : 0) | volume & 0x3f)
        packet.appendBigEndian(duration)
    }

    /// `0`...`9`, `*`, `#`, `A`...`D`; nil for an event that is no key.
    public var digit: Character? { code < 16 ? Self.digits[Int(code)] : nil }

    public static func code(of digit: Character) -> UInt8? {
        digits.firstIndex { $0 == digit || $0.lowercased() == String(digit) }.map { UInt8($0) }
    }

    private static let digits = Array("0123456789*#ABCD")
}
