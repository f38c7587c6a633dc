/// The Q.850 cause in `Reason` (RFC 3326 §2; RFC 6432 has it in responses, too).
extension Message {
    /// 1 to 127; nil when no value of Reason has one.
    public var releaseCause: Int? {
        for value in values(.reason) {
            let parts = value.split(separator: ";").map { part in part.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard parts.first == "q.850", let text = parts.first(where: { $0.hasPrefix("cause=") })?.dropFirst("cause=".count),
                let cause = Int(text), (1...127).contains(cause)
            else { continue }
            return cause
        }
        return nil
    }
}

extension Message {
    /// Whether the sender wants to stay unknown to whom it calls (RFC 3323 §4.2, RFC 3325 §7).
    public var asksForPrivacy: Bool {
        guard let text = value(.privacy) else { return false }
        let wanted = text.split(whereSeparator: { ";, ".contains($0) }).map { $0.lowercased() }
        return wanted.contains { ["id", "user", "header"].contains($0) }
    }
}
