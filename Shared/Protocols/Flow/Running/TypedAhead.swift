/// Keys that were pressed while nothing waited for them: the newest, as many as an action may be handed.
struct TypedAhead: Sendable, Hashable {
    /// What an action has left that took as many as it may use; the flow does not see it among its digits.
    private(set) var left = ""
    /// What has come since; the flow sees it there.
    private(set) var seen = ""

    mutating func add(_ keys: String) {
        seen = String((seen + keys).suffix(Keypad.most))
        left = String(left.suffix(Keypad.most - seen.count))
    }

    /// All of it, for an action that gives back what it does not use.
    mutating func takeAll() -> String {
        defer { self = TypedAhead() }
        // What an earlier version has stored may be more.
        return String((left + seen).suffix(Keypad.most))
    }

    /// As many as that action may use, its ending key included; the rest is left.
    mutating func take(for option: DigitsReceive) -> (keys: String, isEnough: Bool) {
        var (keys, isEnough) = ("", false)
        let all = left + seen
        for key in all where !isEnough {
            keys.append(key)
            isEnough = option.key.contains(key) || keys.count == option.maximum
        }
        self = TypedAhead(left: String(all.dropFirst(keys.count)))
        return (keys, isEnough)
    }

    /// The flow has emptied its digits.
    mutating func forgetSeen() { seen = "" }

    /// The flow's digits begin anew, and nobody has taken these.
    mutating func keepUnseen() { self = TypedAhead(left: left + seen) }
}
