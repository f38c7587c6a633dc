/// The header fields this suite reads or writes by name; all others are `other` and pass through untouched.
public enum HeaderName: UInt8, CaseIterable, Sendable {
    case accept, alertInfo, allow, allowEvents, authorization, callID, contact, contentDisposition, contentEncoding
    case contentLength, contentType, cseq, date, diversion, event, expires, from, historyInfo, identity, maxForwards
    case minExpires, minSE, pAssertedIdentity, pPreferredIdentity, path, privacy, proxyAuthenticate, proxyAuthorization
    case proxyRequire, rack, reason, recordRoute, referTo, referredBy, remotePartyID, replaces, require, retryAfter, route
    case rseq, server, serviceRoute, sessionExpires, subject, subscriptionState, supported, timestamp, to, unsupported
    case userAgent, via, warning, wwwAuthenticate
    case other

    /// The name as we write it.
    public var text: String {
        switch self {
        case .accept: "Accept"
        case .alertInfo: "Alert-Info"
        case .allow: "Allow"
        case .allowEvents: "Allow-Events"
        case .authorization: "Authorization"
        case .callID: "Call-ID"
        case .contact: "Contact"
        case .contentDisposition: "Content-Disposition"
        case .contentEncoding: "Content-Encoding"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .cseq: "CSeq"
        case .date: "Date"
        case .diversion: "Diversion"
        case .event: "Event"
        case .expires: "Expires"
        case .from: "From"
        case .historyInfo: "History-Info"
        case .identity: "Identity"
        case .maxForwards: "Max-Forwards"
        case .minExpires: "Min-Expires"
        case .minSE: "Min-SE"
        case .pAssertedIdentity: "P-Asserted-Identity"
        case .pPreferredIdentity: "P-Preferred-Identity"
        case .path: "Path"
        case .privacy: "Privacy"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyRequire: "Proxy-Require"
        case .rack: "RAck"
        case .reason: "Reason"
        case .recordRoute: "Record-Route"
        case .referTo: "Refer-To"
        case .referredBy: "Referred-By"
        case .remotePartyID: "Remote-Party-ID"
        case .replaces: "Replaces"
        case .require: "Require"
        case .retryAfter: "Retry-After"
        case .route: "Route"
        case .rseq: "RSeq"
        case .server: "Server"
        case .serviceRoute: "Service-Route"
        case .sessionExpires: "Session-Expires"
        case .subject: "Subject"
        case .subscriptionState: "Subscription-State"
        case .supported: "Supported"
        case .timestamp: "Timestamp"
        case .to: "To"
        case .unsupported: "Unsupported"
        case .userAgent: "User-Agent"
        case .via: "Via"
        case .warning: "Warning"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .other: ""
        }
    }

    /// Recognises a name in any case, or its compact form (RFC 3261 §7.3.3 and the IANA registry). Whatever is no token is `other`.
    static func recognise(_ bytes: Span<UInt8>, _ range: Range<Int>) -> HeaderName {
        if range.count == 1 { return compact(bytes[range.lowerBound] | 32) }
        guard range.count <= PackedName.capacity else { return .other }
        let packed = PackedName(bytes, range)
        return packed.frequent ?? find(packed)
    }

    /// One of the names of nearly every message, written without blanks before its colon at the beginning of `range`, and where
    /// the colon stands; nil for all else.
    @inline(__always)
    static func frequent(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (name: HeaderName, colon: Int)? {
        let start = range.lowerBound
        guard bytes.count &- start >= 16 else { return nil }
        let words = (bytes.word(at: start), bytes.word(at: start &+ 8))
        var colon = Self.colon(words.0)
        if colon == 8 { colon = 8 &+ Self.colon(words.1) }
        guard colon < range.count, colon < 16, let name = PackedName(words, colon).frequent else { return nil }
        return (name, start &+ colon)
    }

    /// The place of the first colon in a word, or 8.
    @inline(__always)
    private static func colon(_ word: UInt64) -> Int {
        let difference = word ^ 0x3a3a_3a3a_3a3a_3a3a
        let found = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
        return found.trailingZeroBitCount &>> 3
    }

    private static func find(_ packed: PackedName) -> HeaderName {
        var slot = packed.slot
        while true {
            let entry = table[slot]
            if entry.name == .other || entry.packed == packed { return entry.name }
            slot = (slot &+ 1) & PackedName.slotMask
        }
    }

    /// A name of up to 24 bytes in three words, letters in lower case. Setting the bit that makes them so moves no other byte of
    /// a line onto a letter.
    private struct PackedName: Equatable {
        static let capacity = 24
        static let slotMask = 255
        private let first, second, third: UInt64

        /// No name: it stands in free slots.
        init() { (first, second, third) = (0, 0, 0) }

        @inline(__always)
        init(_ words: (UInt64, UInt64), _ count: Int) {
            (first, second, third) = (Self.lowercased(words.0, count), Self.lowercased(words.1, count &- 8), 0)
        }

        init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            if bytes.count &- range.lowerBound >= Self.capacity {
                first = Self.lowercased(bytes.word(at: range.lowerBound), range.count)
                second = Self.lowercased(bytes.word(at: range.lowerBound &+ 8), range.count &- 8)
                third = Self.lowercased(bytes.word(at: range.lowerBound &+ 16), range.count &- 16)
            } else {
                var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
                for index in range.reversed() {
                    words = (words.0 << 8 | UInt64(bytes[index]), words.1 << 8 | words.0 >> 56, words.2 << 8 | words.1 >> 56)
                }
                first = Self.lowercased(words.0, range.count)
                second = Self.lowercased(words.1, range.count &- 8)
                third = Self.lowercased(words.2, range.count &- 16)
            }
        }

        /// The first `count` bytes of a word.
        @inline(__always)
        private static func lowercased(_ word: UInt64, _ count: Int) -> UInt64 {
            if count <= 0 { return 0 }
            let mask = count >= 8 ? UInt64.max : 1 &<< UInt64(truncatingIfNeeded: count &* 8) &- 1
            return (word | 0x2020_2020_2020_2020) & mask
        }

        static func == (left: PackedName, right: PackedName) -> Bool {
            (left.first ^ right.first) | (left.second ^ right.second) | (left.third ^ right.third) == 0
        }

        /// The names that stand in nearly every message, without a look at the table.
        @inline(__always)
        var frequent: HeaderName? {
            guard third == 0 else { return nil }
            return switch first {
            case 0x61_6976: second == 0 ? .via : nil
            case 0x6d6f_7266: second == 0 ? .from : nil
            case 0x6f74: second == 0 ? .to : nil
            case 0x64_692d_6c6c_6163: second == 0 ? .callID : nil
            case 0x7165_7363: second == 0 ? .cseq : nil
            case 0x74_6361_746e_6f63: second == 0 ? .contact : nil
            case 0x65_7475_6f72: second == 0 ? .route : nil
            case 0x77_6f6c_6c61: second == 0 ? .allow : nil
            case 0x7772_6f66_2d78_616d: second == 0x7364_7261 ? .maxForwards : nil
            case 0x2d74_6e65_746e_6f63: second == 0x6874_676e_656c ? .contentLength : second == 0x6570_7974 ? .contentType : nil
            case 0x722d_6472_6f63_6572: second == 0x6574_756f ? .recordRoute : nil
            case 0x6567_612d_7265_7375: second == 0x746e ? .userAgent : nil
            case 0x6574_726f_7070_7573: second == 0x64 ? .supported : nil
            default: nil
            }
        }

        var slot: Int {
            let mixed = (first ^ second &* 31 ^ third &* 7) &* 0x9e37_79b9_7f4a_7c15
            return Int(truncatingIfNeeded: mixed &>> 56)
        }
    }

    /// Open addressing, a fifth full; `other` marks a free slot.
    private static let table: InlineArray<256, (packed: PackedName, name: HeaderName)> = {
        var table = InlineArray<256, (packed: PackedName, name: HeaderName)>(repeating: (PackedName(), .other))
        for name in HeaderName.allCases where name != .other {
            let text = Array(name.text.utf8)
            let packed = PackedName(text.span, 0..<text.count)
            var slot = packed.slot
            while table[slot].name != .other { slot = (slot + 1) & PackedName.slotMask }
            table[slot] = (packed, name)
        }
        return table
    }()

    private static func compact(_ letter: UInt8) -> HeaderName {
        switch letter {
        case UInt8(ascii: "b"): .referredBy
        case UInt8(ascii: "c"): .contentType
        case UInt8(ascii: "e"): .contentEncoding
        case UInt8(ascii: "f"): .from
        case UInt8(ascii: "i"): .callID
        case UInt8(ascii: "k"): .supported
        case UInt8(ascii: "l"): .contentLength
        case UInt8(ascii: "m"): .contact
        case UInt8(ascii: "o"): .event
        case UInt8(ascii: "r"): .referTo
        case UInt8(ascii: "s"): .subject
        case UInt8(ascii: "t"): .to
        case UInt8(ascii: "u"): .allowEvents
        case UInt8(ascii: "v"): .via
        case UInt8(ascii: "x"): .sessionExpires
        case UInt8(ascii: "y"): .identity
        default: .other
        }
    }
}
