internal import Bytes
public import SDP

/// Which codecs of a description stay, in which order, and which are added.
public struct CodecChanges: Hashable, Sendable {
    /// As if they had never been there.
    public var strip: [String] = []
    /// Not offered on, but taken from the offerer and transcoded.
    public var mask: [String] = []
    /// What a strip or mask of all leaves.
    public var except: [String] = []
    /// The same, and these come first.
    public var offer: [String] = []
    /// Added where they are missing.
    public var transcode: [String] = []
    /// Offered on, and taken from the offerer even where the answerer does not.
    public var accept: [String] = []

    public init() {}

    public var isEmpty: Bool { self == CodecChanges() }

    mutating func take(_ value: Value) -> Bool {
        guard let dictionary = value.dictionary else { return false }
        for (key, value) in dictionary {
            for name in value.texts where !take(Request.key(key), name) { return false }
        }
        return true
    }

    /// Behind `codec-`: `strip-G722`.
    mutating func take(flag: String) -> Bool {
        let parts = flag.split(separator: "-", maxSplits: 1)
        return parts.count == 2 && take(parts[0].lowercased(), String(parts[1]))
    }

    private mutating func take(_ key: String, _ name: String) -> Bool {
        switch key {
        case "strip": strip.append(name)
        case "mask", "consume": mask.append(name)
        case "except": except.append(name)
        case "offer": offer.append(name)
        case "transcode": transcode.append(name)
        case "accept": accept.append(name)
        // Settings of encoders are the relay's own.
        case "set": break
        default: return false
        }
        return true
    }

    // MARK: What they mean

    public func isStripped(_ format: Format) -> Bool { isListed(format, in: strip) }

    public func isMasked(_ format: Format) -> Bool { isListed(format, in: mask) }

    public func isAccepted(_ format: Format) -> Bool { accept.contains("all") || Self.names(accept, format) }

    /// Whether the answerer is to see it.
    public func isShown(_ format: Format) -> Bool { !isStripped(format) && !isMasked(format) }

    private func isListed(_ format: Format, in list: [String]) -> Bool {
        if Self.names(list, format) { return true }
        guard list.contains("all") || list.contains("full") else { return false }
        let isKept = Self.names(except, format) || Self.names(offer, format)
        return !isKept && (list.contains("full") || !Self.names(transcode, format))
    }

    private static func names(_ list: [String], _ format: Format) -> Bool { list.contains { matches($0, format) } }

    /// `opus`, `opus/48000`, `opus/48000/2` or a payload type; what follows are settings.
    static func matches(_ name: String, _ format: Format) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first else { return false }
        if let number = ASCII.decimal(first.utf8), parts.count == 1 { return number == UInt64(format.payloadType) }
        guard ASCII.equalsIgnoringCase(first, format.codec.name) else { return false }
        if parts.count > 1, !parts[1].isEmpty, ASCII.decimal(parts[1].utf8) != UInt64(format.codec.clockRate) { return false }
        if parts.count > 2, !parts[2].isEmpty, ASCII.decimal(parts[2].utf8) != UInt64(format.codec.channels) { return false }
        return true
    }

    /// Those the answerer sees, in their order; then what is to be added.
    public func apply(to formats: [Format], known: [Codec]) -> [Format] {
        var shown = formats.filter(isShown)
        // To offer nothing would help nobody.
        if !shown.contains(where: { !$0.codec.isTelephoneEvent && !$0.codec.isComfortNoise }), transcode.isEmpty { shown = formats }
        let first = offer.flatMap { name in shown.filter { Self.matches(name, $0) } }
        shown = first + shown.filter { format in !first.contains { $0.payloadType == format.payloadType } }
        var used = Set(formats.map(\.payloadType))
        var added: [Format] = []
        for name in transcode {
            guard let codec = known.first(where: { Self.matches(name, Format(payloadType: 255, codec: $0)) }),
                !(shown + added).contains(where: { $0.codec.isSameFormat(as: codec) })
            else { continue }
            let fixed = codec.staticPayloadType.flatMap { used.contains($0) ? nil : $0 }
            guard let number = fixed ?? (96...127).first(where: { !used.contains($0) }) else { continue }
            used.insert(number)
            added.append(Format(payloadType: number, codec: codec))
        }
        // Sound before what only accompanies it.
        let sound = shown.filter { !$0.codec.isTelephoneEvent && !$0.codec.isComfortNoise }
        return added.isEmpty ? shown : sound + added + shown.filter { format in !sound.contains { $0.payloadType == format.payloadType } }
    }
}
