/// One setting of a service: a name under the prefix `TANDEM_`, what it means, what it looks like, and its default.
public struct Setting: Sendable {
    public enum Kind: Sendable {
        case text
        case integer(ClosedRange<Int>)
        case flag
        /// Text that is not shown by `--print-config` and may come from the file that `<NAME>_FILE` names.
        case secret
    }

    public let name: String
    public let kind: Kind
    /// What the text has to look like; nil: as it likes. Numbers and flags have their own form.
    public let format: Format?
    /// Nil: the setting must be given.
    public let fallback: String?
    public let help: String

    public init(_ name: String, _ kind: Kind = .text, as format: Format? = nil, default fallback: String? = nil, _ help: String) {
        precondition(name.hasPrefix("TANDEM_"), "every setting carries the one prefix")
        (self.name, self.kind, self.format, self.fallback, self.help) = (name, kind, format, fallback, help)
    }

    var isSecret: Bool { if case .secret = kind { true } else { false } }

    private static let flags: Set<String> = ["0", "1", "true", "false", "yes", "no", "on", "off"]

    /// What is wrong with a value, and what to give; a secret is not repeated.
    func mistake(in value: String) -> String? {
        let expected: String
        switch kind {
        case .text, .secret:
            guard let format, !format.accepts(value) else { return nil }
            expected = format.expected
        case .integer(let range):
            if let number = Int(value), range.contains(number) { return nil }
            expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .flag:
            guard !Self.flags.contains(value.lowercased()) else { return nil }
            expected = "1 or 0"
        }
        let found = value.isEmpty ? "is empty" : isSecret ? "has not the form it must have" : "is '\(value)'"
        return "\(name) \(found): give \(expected)"
    }
}
