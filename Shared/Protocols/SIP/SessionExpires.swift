internal import Bytes

/// The value of `Session-Expires` (RFC 4028 §4): for how long a session is good without a refresh, and who sends that.
public struct SessionExpires: Hashable, Sendable, Codable {
    public enum Refresher: String, Sendable, Codable { case uac, uas }

    public var seconds: Int
    public var refresher: Refresher?

    public init(seconds: Int, refresher: Refresher?) { (self.seconds, self.refresher) = (seconds, refresher) }

    /// Nil when it is no number of seconds. A refresher that is neither of the two is none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ";").map { part in String(part.filter { $0 != " " && $0 != "\t" }).lowercased() }
        guard let first = parts.first, let seconds = deltaSeconds(first) else { return nil }
        let value = parts.dropFirst().first { $0.hasPrefix("refresher=") }?.dropFirst("refresher=".count)
        self.init(seconds: seconds, refresher: value.flatMap { Refresher(rawValue: String($0)) })
    }
}

extension SessionExpires: CustomStringConvertible {
    public var description: String { "\(seconds)" + (refresher.map { ";refresher=\($0.rawValue)" } ?? "") }
}

/// delta-seconds (RFC 3261 §20): more than 32 bits hold are as good as that.
private func deltaSeconds(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text).map { min($0, Int(Int32.max)) } ?? Int(Int32.max)
}

extension Message {
    public var sessionExpires: SessionExpires? { value(.sessionExpires).flatMap { SessionExpires($0) } }

    /// The shortest session that the sender takes, in seconds (RFC 4028 §5).
    public var minSE: Int? {
        value(.minSE).flatMap { text in deltaSeconds(text.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }) }
    }
}

/// A session timer that both sides have agreed on, seen from ours (RFC 4028).
public struct SessionTimer: Hashable, Sendable, Codable {
    /// What we want and what we take; seconds.
    public struct Terms: Hashable, Sendable, Codable {
        public var interval: Int
        public var minimum: Int

        /// RFC 4028 §5 has nobody take less than 90 s.
        public init(interval: Int = 1_800, minimum: Int = 90) { (self.interval, self.minimum) = (interval, minimum) }
    }

    public var seconds: Int
    public var weRefresh: Bool

    public init(seconds: Int, weRefresh: Bool) { (self.seconds, self.weRefresh) = (seconds, weRefresh) }

    /// What a request that begins or refreshes a session is answered with.
    public enum Verdict: Hashable, Sendable {
        case none
        /// 422, with our Min-SE (§9).
        case tooSmall
        /// `expires` stands in the 2xx, which has `Require: timer` when the other side is to refresh.
        case timer(SessionTimer, expires: SessionExpires)
    }

    /// §9: our part as the server of an INVITE or UPDATE. `current` is the timer so far, whose roles stay when the request leaves them
    /// open.
    public static func answer(to request: Message, _ terms: Terms, current: SessionTimer? = nil) -> Verdict {
        let isSupported = request.supported.contains("timer") || request.required.contains("timer")
        let asked = request.sessionExpires
        if isSupported, let asked, asked.seconds < terms.minimum { return .tooSmall }
        guard isSupported || asked != nil else { return .none }
        let floor = max(terms.minimum, request.minSE ?? 0)
        // A proxy asked on behalf of one that knows nothing of this: then we alone refresh.
        guard isSupported else {
            let seconds = max(asked?.seconds ?? terms.interval, floor)
            return .timer(SessionTimer(seconds: seconds, weRefresh: true), expires: SessionExpires(seconds: seconds, refresher: .uas))
        }
        let seconds = max(min(asked?.seconds ?? terms.interval, max(terms.interval, terms.minimum)), floor)
        let refresher = asked?.refresher ?? (current.map { $0.weRefresh ? .uas : .uac } ?? .uac)
        return .timer(
            SessionTimer(seconds: seconds, weRefresh: refresher == .uas), expires: SessionExpires(seconds: seconds, refresher: refresher))
    }

    /// §5: what `Min-SE` means where it is not there, and the least it may say.
    public static let leastSeconds = 90

    /// §7.2: what a 2xx to a request of ours says, which had that Min-SE; nil: the session does not expire.
    public init?(answeredBy response: Message, minimum: Int = SessionTimer.leastSeconds) {
        guard let expires = response.sessionExpires else { return nil }
        // Nobody may make it shorter than that (§5): a value of 0 or 1 would have us refresh, or hang up, without a pause.
        self.init(seconds: max(expires.seconds, minimum, Self.leastSeconds), weRefresh: expires.refresher != .uas)
    }

    /// §10: whoever refreshes does so after half the time.
    public var secondsToRefresh: Int { max(seconds / 2, 1) }

    /// §10: without a refresh the session is given up a third of its time, at most 32 s, before it is over.
    public var secondsToEnd: Int { max(seconds - min(32, seconds / 3), 1) }
}
