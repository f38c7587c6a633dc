internal import Bytes

/// An IPv4 or IPv6 address: sixteen bytes in network order; IPv4 keeps its four in the IPv4-mapped form (RFC 4291 §2.5.5.2).
public struct IPAddress: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64
    public let isIPv4: Bool

    public static let anyIPv4 = IPAddress(v4: 0)
    public static let loopbackIPv4 = IPAddress(v4: 0x7f00_0001)
    public static let anyIPv6 = IPAddress(v6High: 0, v6Low: 0)
    public static let loopbackIPv6 = IPAddress(v6High: 0, v6Low: 1)

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

    public init?(parsing text: [UInt8]) { self.init(parsing: text.span) }

    /// The same without an allocation.
    public init?(parsing text: Span<UInt8>) {
        var (start, end) = (0, text.count)
        if end >= 2, text[0] == UInt8(ascii: "["), text[end - 1] == UInt8(ascii: "]") { (start, end) = (1, end - 1) }
        if text.firstIndex(of: UInt8(ascii: ":"), from: start, to: end) < end {
            guard let (high, low) = Self.parseIPv6(text, start, end) else { return nil }
            self.init(v6High: high, v6Low: low)
        } else {
            guard let v4 = Self.parseIPv4(text, start, end) else { return nil }
            self.init(v4: v4)
        }
    }

    /// Four numbers of one to three digits.
    private static func parseIPv4(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32? {
        guard end - start <= 15 else { return nil }
        var (value, part, digits, dots): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for index in start..<end {
            let byte = text[index]
            if ASCII.isDigit(byte) {
                part = part &* 10 &+ UInt32(byte &- 48)
                digits += 1
                guard digits <= 3, part <= 255 else { return nil }
            } else {
                guard byte == UInt8(ascii: "."), digits > 0, dots < 3 else { return nil }
                value = value << 8 | part
                (part, digits, dots) = (0, 0, dots + 1)
            }
        }
        return digits > 0 && dots == 3 ? value << 8 | part : nil
    }

    private static func parseIPv6(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> (UInt64, UInt64)? {
        guard end - start <= 45 else { return nil }
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap: Int?
        var index = start
        if end - start >= 2, text[start] == UInt8(ascii: ":"), text[start + 1] == UInt8(ascii: ":") {
            gap = 0
            index += 2
        }
        while index < end {
            guard count < 8 else { return nil }
            let colon = text.firstIndex(of: UInt8(ascii: ":"), from: index, to: end)
            if text.firstIndex(of: UInt8(ascii: "."), from: index, to: colon) < colon {
                guard colon == end, count <= 6, let v4 = parseIPv4(text, index, end) else { return nil }
                groups[count] = UInt16(truncatingIfNeeded: v4 >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: v4)
                count += 2
                break
            }
            guard let group = group(text, index, colon) else { return nil }
            groups[count] = group
            count += 1
            guard colon < end else { break }
            index = colon + 1
            guard index < end else { return nil }
            if text[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = count
                index += 1
            }
        }
        guard gap == nil ? count == 8 : count <= 7 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        let missing = 8 - count
        for place in 0..<8 {
            let source = place < gap ?? 8 ? place : place - missing
            let value = place >= (gap ?? 8) && place < (gap ?? 8) + missing ? 0 : UInt64(groups[source])
            if place < 4 { halves.0 = halves.0 << 16 | value } else { halves.1 = halves.1 << 16 | value }
        }
        return halves
    }

    /// One to four hexadecimal digits.
    private static func group(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> UInt16? {
        guard 1...4 ~= end - start else { return nil }
        var value: UInt16 = 0
        for index in start..<end {
            guard let digit = Hexadecimal.value(text[index]) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
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
    /// Dotted quad, or IPv6 as RFC 5952 §4 writes it, without brackets.
    public var description: String {
        if let v4 { return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)" }
        func text(_ groups: Range<Int>) -> String { groups.map { String(group($0), radix: 16) }.joined(separator: ":") }
        let gap = gap
        return gap.isEmpty ? text(0..<8) : text(0..<gap.lowerBound) + "::" + text(gap.upperBound..<8)
    }
}

extension IPAddress {
    private func group(_ place: Int) -> UInt64 { (place < 4 ? high : low) >> UInt64(48 - place % 4 * 16) & 0xffff }

    /// The groups that `::` stands for: the first of the longest runs of zeros, unless it is a single one (RFC 5952 §4.2).
    private var gap: Range<Int> {
        var longest = 0..<0
        var start = 0
        for place in 0..<8 {
            if group(place) != 0 {
                start = place + 1
            } else if place + 1 - start > max(longest.count, 1) {
                longest = start..<place + 1
            }
        }
        return longest
    }

    /// Writes the text of `description`: at most 39 bytes.
    public func write(into output: inout OutputSpan<UInt8>) {
        if let v4 {
            for place in 0..<4 {
                if place > 0 { output.append(UInt8(ascii: ".")) }
                output.write(decimal: UInt64(v4 >> UInt32(24 - 8 * place) & 255))
            }
        } else {
            let gap = gap
            var place = 0
            while place < 8 {
                if place == gap.lowerBound, !gap.isEmpty {
                    output.write("::")
                    place = gap.upperBound
                    continue
                }
                if place > 0, place != gap.upperBound { output.append(UInt8(ascii: ":")) }
                let group = group(place)
                place &+= 1
                var shift: UInt64 = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0
                while true {
                    let digit = UInt8(truncatingIfNeeded: group >> shift & 15)
                    output.append(digit < 10 ? 48 + digit : 87 + digit)
                    guard shift > 0 else { break }
                    shift -= 4
                }
            }
        }
    }
}
