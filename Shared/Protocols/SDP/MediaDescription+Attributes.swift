internal import Bytes

// The attributes of a media description that are values of their own.
extension MediaDescription {
    public var profile: Profile? { Profile(rawValue: transport) }

    /// The identification tag (RFC 5888 §4).
    public var mid: String? { attributes.first(named: "mid").flatMap { $0.isEmpty ? nil : $0 } }

    /// Usable within its bundle only; port zero refuses nothing then (RFC 9143 §6).
    public var isBundleOnly: Bool { attributes.contains(named: "bundle-only") }

    /// The values of `a=crypto` (RFC 4568 §4), as text.
    public var crypto: [String] { attributes.filter { $0.name == "crypto" }.compactMap(\.value) }

    /// Feedback packets without a report before them are welcome (RFC 5506 §5).
    public var reducesRTCP: Bool { attributes.contains(named: "rtcp-rsize") }

    /// The sources named by `a=ssrc` (RFC 5576 §4.1), each once.
    public var sources: [UInt32] {
        var seen: [UInt32] = []
        for attribute in attributes where attribute.name == "ssrc" {
            guard let first = attribute.value?.split(separator: " ").first, let number = ASCII.decimal(first.utf8),
                let source = UInt32(exactly: number), !seen.contains(source)
            else { continue }
            seen.append(source)
        }
        return seen
    }
}

/// The parts of an `a=crypto` value that SDP itself compares (RFC 4568 §9.1).
struct CryptoLine {
    let tag: Substring
    let suite: Substring

    /// Nil when there is no tag of one to nine digits, suite and key.
    init?(_ value: String) {
        let fields = value.split(separator: " ", maxSplits: 2)
        guard fields.count == 3, (1...9).contains(fields[0].utf8.count), fields[0].utf8.allSatisfy(ASCII.isDigit) else { return nil }
        (tag, suite) = (fields[0], fields[1])
    }

    func answers(_ other: CryptoLine) -> Bool { tag == other.tag && ASCII.equalsIgnoringCase(suite, other.suite) }
}
