/// Why bytes are no session description; `line` counts from one.
public enum ParseError: Error, Hashable, Sendable {
    /// More bytes, lines, media descriptions or formats than any call needs.
    case tooLarge
    /// The line is no `type=value`, its value breaks the grammar, or it stands where it must not.
    case malformed(line: Int)
    /// The description ended without a line it must have.
    case missing(type: Character)
}
