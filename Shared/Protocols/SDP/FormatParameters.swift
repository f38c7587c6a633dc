internal import Bytes

/// The parameters of an `a=fmtp` line that are `name=value` pairs (RFC 8866 §6.15); names ignore case.
public struct FormatParameters: Hashable, Sendable {
    private var pairs: [(name: String, value: String)] = []

    public init(_ text: String?) {
        for part in (text ?? "").split(separator: ";") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard let name = sides.first.map(Self.trimmed), !name.isEmpty else { continue }
            pairs.append((name, sides.count == 2 ? Self.trimmed(sides[1]) : ""))
        }
    }

    /// The first of that name.
    public subscript(name: String) -> String? { pairs.first { ASCII.equalsIgnoringCase($0.name, name) }?.value }

    /// Nil when it is missing or no number.
    public func number(_ name: String) -> Int? {
        self[name].flatMap { ASCII.decimal($0.utf8) }.flatMap { Int(exactly: $0) }
    }

    public func flag(_ name: String) -> Bool { number(name) == 1 }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    public static func == (left: Self, right: Self) -> Bool { left.pairs.elementsEqual(right.pairs) { $0 == $1 } }

    public func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }
}

/// What a receiver of Opus wishes for (RFC 7587 §6.1): each side says it of what it is sent.
public struct OpusParameters: Hashable, Sendable, Codable {
    public var usesInbandFEC = false
    public var usesDTX = false
    /// It prefers two channels; what it can decode is always both.
    public var prefersStereo = false
    /// It will probably send two channels.
    public var sendsStereo = false
    public var usesConstantBitRate = false
    /// Bits a second.
    public var maximumAverageBitRate: Int?
    /// Above that rate it cannot play.
    public var maximumPlaybackRate: Int?
    /// Milliseconds.
    public var minimumPacketTime: Int?

    public init() {}

    /// Values outside of RFC 7587's ranges are as if they were not there.
    public init(_ parameters: FormatParameters) {
        (usesInbandFEC, usesDTX) = (parameters.flag("useinbandfec"), parameters.flag("usedtx"))
        (prefersStereo, sendsStereo) = (parameters.flag("stereo"), parameters.flag("sprop-stereo"))
        usesConstantBitRate = parameters.flag("cbr")
        maximumAverageBitRate = parameters.number("maxaveragebitrate").flatMap { (6_000...510_000).contains($0) ? $0 : nil }
        maximumPlaybackRate = parameters.number("maxplaybackrate").flatMap { (8_000...48_000).contains($0) ? $0 : nil }
        minimumPacketTime = parameters.number("minptime").flatMap { (3...120).contains($0) ? $0 : nil }
    }
}

extension OpusParameters: CustomStringConvertible {
    /// The value of `a=fmtp` behind the payload type; empty when all is as by default.
    public var description: String {
        var parts: [String] = []
        if let minimumPacketTime { parts.append("minptime=\(minimumPacketTime)") }
        if usesInbandFEC { parts.append("useinbandfec=1") }
        if usesDTX { parts.append("usedtx=1") }
        if prefersStereo { parts.append("stereo=1") }
        if sendsStereo { parts.append("sprop-stereo=1") }
        if usesConstantBitRate { parts.append("cbr=1") }
        if let maximumAverageBitRate { parts.append("maxaveragebitrate=\(maximumAverageBitRate)") }
        if let maximumPlaybackRate { parts.append("maxplaybackrate=\(maximumPlaybackRate)") }
        return parts.joined(separator: ";")
    }
}
