/// `a=rtcp-xr` (RFC 3611 §5.1): which extended reports its sender wants to have.
public struct ExtendedReports: Hashable, Sendable, Codable {
    /// `rcvr-rtt`: reference times and their answers, by which who sends no sound measures the round trip.
    public var roundTrip: Bool
    /// `voip-metrics`.
    public var voice: Bool

    public init(roundTrip: Bool, voice: Bool) { (self.roundTrip, self.voice) = (roundTrip, voice) }

    /// Formats that are not done here are passed over; nil when nothing is left.
    init?(_ value: String) {
        let formats = value.split(separator: " ").map { $0.prefix { $0 != "=" && $0 != ":" } }
        self.init(roundTrip: formats.contains("rcvr-rtt"), voice: formats.contains("voip-metrics"))
        guard roundTrip || voice else { return nil }
    }

    /// What an answer says to it: the same is wanted from them.
    var value: String {
        [roundTrip ? "rcvr-rtt=all" : nil, voice ? "voip-metrics" : nil].compactMap(\.self).joined(separator: " ")
    }
}

extension MediaDescription {
    /// `b=RS:0` and `b=RR:0`: no control packets at all (RFC 3556 §2).
    var refusesReports: Bool {
        let bandwidths = otherLines.filter { $0.type == "b" }.map(\.value)
        return bandwidths.contains("RS:0") && bandwidths.contains("RR:0")
    }
}

extension SessionDescription {
    func extendedReports(ofMedia index: Int) -> ExtendedReports? {
        values("rtcp-xr", ofMedia: index).first.flatMap { ExtendedReports($0) }
    }
}
