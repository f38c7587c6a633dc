/// Base 64 of RFC 4648: §4 with padding, and the URL-safe alphabet of §5 without.
public enum Base64 {
    public enum Alphabet: Sendable { case standard, urlSafe }

    public static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let rest = bytes.count - index
            let first = UInt32(bytes[index]) << 16
            let second = rest > 1 ? UInt32(bytes[index + 1]) << 8 : 0
            let third = rest > 2 ? UInt32(bytes[index + 2]) : 0
            let group = first | second | third
            text.append(character(group >> 18 & 63, alphabet))
            text.append(character(group >> 12 & 63, alphabet))
            if rest > 1 { text.append(character(group >> 6 & 63, alphabet)) }
            if rest > 2 { text.append(character(group & 63, alphabet)) }
            if alphabet == .standard {
                for _ in 0..<max(0, 3 - rest) { text.append(UInt8(ascii: "=")) }
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a character outside the alphabet or an impossible length; padding may be missing.
    public static func decode(_ text: some Sequence<UInt8>, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        var padded = false
        for character in text {
            if character == UInt8(ascii: "=") {
                padded = true
                continue
            }
            guard !padded, let value = value(character, alphabet) else { return nil }
            group = group << 6 | UInt32(value)
            count += 1
            if count == 4 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                (group, count) = (0, 0)
            }
        }
        switch count {
        case 0: return bytes
        case 2: return bytes + [UInt8(truncatingIfNeeded: group >> 4)]
        case 3: return bytes + [UInt8(truncatingIfNeeded: group >> 10), UInt8(truncatingIfNeeded: group >> 2)]
        default: return nil
        }
    }

    /// The URL-safe text of `bytes`, written out.
    public static func writeURLSafe(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        var index = 0
        while index &+ 3 <= bytes.count {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index &+ 1]) << 8 | UInt32(bytes[index &+ 2])
            output.append(urlSafe(group &>> 18))
            output.append(urlSafe(group &>> 12 & 63))
            output.append(urlSafe(group &>> 6 & 63))
            output.append(urlSafe(group & 63))
            index &+= 3
        }
        guard index < bytes.count else { return }
        let second: UInt32 = index &+ 1 < bytes.count ? UInt32(bytes[index &+ 1]) << 8 : 0
        let group = UInt32(bytes[index]) << 16 | second
        output.append(urlSafe(group >> 18 & 63))
        output.append(urlSafe(group >> 12 & 63))
        if index &+ 1 < bytes.count { output.append(urlSafe(group >> 6 & 63)) }
    }

    /// Decodes URL-safe text without padding into at most 64 bytes; false for anything else or when there is no room.
    public static func readURLSafe(_ text: Span<UInt8>, into bytes: inout InlineArray<64, UInt8>, count: inout Int) -> Bool {
        guard text.count % 4 != 1, text.count <= 85 else { return false }
        var (group, digits): (UInt32, Int) = (0, 0)
        count = 0
        for index in text.indices {
            guard let value = value(text[index], .urlSafe) else { return false }
            group = group << 6 | UInt32(value)
            digits &+= 1
            guard digits == 4 else { continue }
            bytes[count] = UInt8(truncatingIfNeeded: group &>> 16)
            bytes[count &+ 1] = UInt8(truncatingIfNeeded: group &>> 8)
            bytes[count &+ 2] = UInt8(truncatingIfNeeded: group)
            count &+= 3
            (group, digits) = (0, 0)
        }
        // What is left over of the last character says nothing: only one spelling of the bytes is accepted.
        switch digits {
        case 2:
            bytes[count] = UInt8(truncatingIfNeeded: group &>> 4)
            count &+= 1
            return group & 15 == 0
        case 3:
            bytes[count] = UInt8(truncatingIfNeeded: group &>> 10)
            bytes[count &+ 1] = UInt8(truncatingIfNeeded: group &>> 2)
            count &+= 2
            return group & 3 == 0
        default: return true
        }
    }

    /// Without a branch that depends on the value.
    private static func urlSafe(_ value: UInt32) -> UInt8 {
        var character = value &+ 65
        character &+= value > 25 ? 6 : 0
        character &-= value > 51 ? 75 : 0
        character &-= value > 61 ? 13 : 0
        character &+= value > 62 ? 49 : 0
        return UInt8(truncatingIfNeeded: character)
    }

    private static func character(_ value: UInt32, _ alphabet: Alphabet) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        switch value {
        case 0..<26: return 65 + value
        case 26..<52: return 71 + value
        case 52..<62: return value - 4
        case 62: return alphabet == .standard ? UInt8(ascii: "+") : UInt8(ascii: "-")
        default: return alphabet == .standard ? UInt8(ascii: "/") : UInt8(ascii: "_")
        }
    }

    private static func value(_ character: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch character {
        case 65...90: return character - 65
        case 97...122: return character - 71
        case 48...57: return character + 4
        case UInt8(ascii: "+") where alphabet == .standard, UInt8(ascii: "-") where alphabet == .urlSafe: return 62
        case UInt8(ascii: "/") where alphabet == .standard, UInt8(ascii: "_") where alphabet == .urlSafe: return 63
        default: return nil
        }
    }
}
