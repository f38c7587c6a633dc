/// What a flow and a run of it may cost. Everything here is a setting of whoever runs flows.
public struct Limits: Sendable, Hashable {
    /// Of the JSON text of a flow.
    public var json = JSONLimits(bytes: 1 << 20, depth: 32)
    public var actions = 500
    /// Problems listed in one answer.
    public var problems = 100
    /// Elements of an array or object in an option.
    public var elements = 100

    // Lengths in bytes of UTF-8.
    public var identifier = 64
    public var short = 256
    public var url = 2048
    public var text = 5000

    /// Variables of one run: how many, their bytes together, and those of one value.
    public var variables = 100
    public var variableBytes = 64 << 10
    public var valueBytes = 32 << 10
    /// What one string option may grow to when variables are put in.
    public var substitutedBytes = 64 << 10

    /// Actions one run may have performed by the outside world (VoIPbin stops at 100, which a long menu can reach).
    public var executedActions = 1000
    /// Actions the interpreter may execute by itself between two of those.
    public var iterations = 1000
    /// Lists of actions inside one another (`fetch_flow`).
    public var nestedLists = 8
    /// Branches of one `parallel`.
    public var branches = 8
    /// Actions inside the options of actions.
    public var nestedActions = 3

    public init() {}

    /// For messages between our own processes: they were validated where they came in.
    static let trusted: Limits = {
        var limits = Limits()
        (limits.json.bytes, limits.actions, limits.elements) = (.max, .max, .max)
        (limits.identifier, limits.short, limits.url, limits.text) = (.max, .max, .max, .max)
        limits.valueBytes = .max
        return limits
    }()

    func bytes(of length: Length) -> Int {
        switch length {
        case .identifier: identifier
        case .short: short
        case .url: url
        case .text: text
        case .value: valueBytes
        }
    }
}
