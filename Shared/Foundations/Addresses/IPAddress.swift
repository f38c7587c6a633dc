internal import Bytes

/// An IPv4 or IPv6 address: sixteen bytes in network order; IPv4 keeps its four in the IPv4-mapped form (RFC 4291 §2.5.5.2).
public struct IPAddress: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64
    public let isIPv4: Bool

    public static let anyIPv4 = IPAddress(v4: 0)
    public static let loopbackIPv4 = IPAddress(v4: 0x7f00_0001)

    /// `v4` in host order: 127.0.0.1 is 0x7f000001.
    public init(v4: UInt32) {
        (high, low, isIPv4) = (0, 0x0000_ffff_0000_0000 | UInt64(v4), true)
    }

    /// An IPv6 address of two big-endian halves; an IPv4-mapped one becomes IPv4.
    public init(v6High: UInt64, v6Low: UInt64) {
        let mapped = v6High == 0 && v6Low >> 32 == 0xffff
        (high, low, isIPv4) = (v6High, v6Low, mapped)
    }

    /// The IPv4 address in host order, or nil for IPv6.
    public var v4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// Parses dotted-quad IPv4 or RFC 4291 IPv6 text, with or without the brackets of RFC 3986; nil for anything else (a name).
    public init?(_ text: some StringProtocol) {
        self.init(parsing: Array(text.utf8))
    }

    public init?(parsing text: [UInt8]) {
        var text = text[...]
        if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") { text = text.dropFirst().dropLast() }
        if text.contains(UInt8(ascii: ":")) {
            guard let (high, low) = Self.parseIPv6(text) else { return nil }
            self.init(v6High: high, v6Low: low)
        } else {
            guard let v4 = Self.parseIPv4(text) else { return nil }
            self.init(v4: v4)
        }
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard part.count <= 3, let byte = ASCII.decimal(part), byte <= 255 else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func parseIPv6(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
        guard text.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.starts(with: Array("::".utf8)) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let part = rest[rest.startIndex..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == rest.endIndex, let v4 = parseIPv4(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
                rest = []
                break
            }
            guard !part.isEmpty, part.count <= 4,
                let bytes = Hexadecimal.decode(Array(repeating: UInt8(ascii: "0"), count: 4 - part.count) + part)
            else { return nil }
            groups.append(UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
            rest = rest[end...]
            guard let colon = rest.first else { break }
            _ = colon
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count <= 7 else { return nil }
            groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let halves = [groups[0..<4], groups[4..<8]].map { $0.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        return (halves[0], halves[1])
    }

    /// Loopback, private, link-local, shared, multicast, unspecified and reserved ranges (RFC 6890): never a target on a
    /// customer's behalf.
    public var isPubliclyRoutable: Bool {
        if let v4 {
            let blocked: [(UInt32, UInt32)] = [
                (0x0000_0000, 8), (0x0a00_0000, 8), (0x6440_0000, 10), (0x7f00_0000, 8), (0xa9fe_0000, 16), (0xac10_0000, 12),
                (0xc000_0000, 24), (0xc000_0200, 24), (0xc0a8_0000, 16), (0xc612_0000, 15), (0xc633_6400, 24), (0xcb00_7100, 24),
                (0xe000_0000, 4), (0xf000_0000, 4),
            ]
            return !blocked.contains { v4 >> (32 - $0.1) == $0.0 >> (32 - $0.1) }
        }
        // Of IPv6 only global unicast 2000::/3 is routable; documentation, 6to4 and Teredo can embed a private IPv4 address.
        return high >> 61 == 1 && high >> 32 != 0x2001_0db8 && high >> 48 != 0x2002 && high >> 32 != 0x2001_0000
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or the eight-group IPv6 text without compression and without brackets.
    public var description: String {
        if let v4 { return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)" }
        return [high, low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { String(half >> UInt64($0) & 0xffff, radix: 16) }
        }.joined(separator: ":")
    }
}
