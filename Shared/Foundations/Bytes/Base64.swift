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
        if bytes.count >= 8 {
            while index &+ 6 <= bytes.count {
                // The six bytes from here on, the first on top: near the end they are the last of an earlier word.
                let start = min(index, bytes.count &- 8)
                let word = bytes.word(at: start).byteSwapped &<< UInt64(truncatingIfNeeded: (index &- start) &* 8)
                output.write(word: eightCharacters(word &>> 16))
                index &+= 6
            }
            let rest = bytes.count &- index
            guard rest > 0 else { return }
            // What is left of the last word, with zeros behind: as many characters as its bits need (RFC 4648 §4).
            if output.freeCapacity >= 8 {
                let word = bytes.word(at: bytes.count &- 8).byteSwapped &<< UInt64(truncatingIfNeeded: 64 &- 8 &* rest)
                output.write(word: eightCharacters(word &>> 16))
                output.removeLast(8 &- (rest &* 8 &+ 5) / 6)
                return
            }
        }
        while index < bytes.count {
            let rest = bytes.count &- index
            let (first, second) = (UInt32(bytes[index]) << 16, rest > 1 ? UInt32(bytes[index &+ 1]) << 8 : 0)
            let group = first | second | (rest > 2 ? UInt32(bytes[index &+ 2]) : 0)
            output.append(character(group >> 18 & 63, .urlSafe))
            output.append(character(group >> 12 & 63, .urlSafe))
            if rest > 1 { output.append(character(group >> 6 & 63, .urlSafe)) }
            if rest > 2 { output.append(character(group & 63, .urlSafe)) }
            index &+= 3
        }
    }

    /// Decodes URL-safe text without padding into at most 64 bytes; false for anything else or when there is no room.
    public static func readURLSafe(_ text: Span<UInt8>, into bytes: inout InlineArray<64, UInt8>, count: inout Int) -> Bool {
        guard text.count % 4 != 1, text.count <= 85 else { return false }
        count = 0
        var index = 0
        while index &+ 8 <= text.count, count &+ 8 <= 64 {
            guard let group = sixBytes(text.word(at: index)) else { return false }
            bytes.write(bigEndian: group &<< 16, at: count)
            index &+= 8
            count &+= 6
        }
        var (group, digits): (UInt32, Int) = (0, 0)
        while index < text.count {
            guard let value = value(text[index], .urlSafe) else { return false }
            group = group << 6 | UInt32(value)
            index &+= 1
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

    // MARK: Eight characters at a time: one in each byte of a word, compared and moved together

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// One in each byte that is at least `limit`; all bytes are below 128.
    @inline(__always)
    private static func atLeast(_ limit: UInt64, _ word: UInt64) -> UInt64 { ((word &+ ones &* (128 &- limit)) & highs) &>> 7 }

    /// Of 48 bits, the first character in the lowest byte, as it is stored.
    @inline(__always)
    private static func eightCharacters(_ bits: UInt64) -> UInt64 {
        var word = (bits & 0xffff_ff00_0000) &<< 8 | bits & 0xff_ffff
        word = (word & 0x00ff_f000_00ff_f000) &<< 4 | word & 0x0000_0fff_0000_0fff
        word = (word & 0x0fc0_0fc0_0fc0_0fc0) &<< 2 | word & 0x003f_003f_003f_003f
        let (small, digits) = (atLeast(26, word), atLeast(52, word))
        let (hyphen, underscore) = (atLeast(62, word), atLeast(63, word))
        // A-Z, then 6 further a-z, then 75 back 0-9, then 13 back the hyphen, then 49 further the underscore.
        let letters = word &+ ones &* 65 &+ small &* 6
        return (letters &- digits &* 75 &- hyphen &* 13 &+ underscore &* 49).byteSwapped
    }

    /// 48 bits of eight characters, the first in the lowest byte; nil when one is outside the alphabet.
    @inline(__always)
    private static func sixBytes(_ text: UInt64) -> UInt64? {
        guard text & highs == 0 else { return nil }
        let capital = atLeast(65, text) & ~atLeast(91, text)
        let small = atLeast(97, text) & ~atLeast(123, text)
        let digit = atLeast(48, text) & ~atLeast(58, text)
        let hyphen = atLeast(45, text) & ~atLeast(46, text)
        let underscore = atLeast(95, text) & ~atLeast(96, text)
        guard capital | small | digit | hyphen | underscore == ones else { return nil }
        let values = text &- capital &* 65 &- small &* 71 &- underscore &* 32 &+ digit &* 4 &+ hyphen &* 17
        var word = values.byteSwapped
        word = (word & 0x3f00_3f00_3f00_3f00) &>> 2 | word & 0x003f_003f_003f_003f
        word = (word & 0x0fff_0000_0fff_0000) &>> 4 | word & 0x0000_0fff_0000_0fff
        return (word & 0x00ff_ffff_0000_0000) &>> 8 | word & 0xff_ffff
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
