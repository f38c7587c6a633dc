/// A condition or computation of a flow, as its author wrote it and as it is understood (docs/flow-expressions.md has the grammar).
///
/// It can neither loop nor call anything outside, its length and depth are bounded when it is read, and what it makes is bounded
/// when it is evaluated: the worst expression costs time in proportion to its own length and that of the values it looks at.
public struct Expression: Sendable, Hashable {
    public let text: String
    let root: Node

    public static let longestText = 2000
    static let deepest = 32

    /// Why a text is no expression, and where.
    public struct Mistake: Error, Sendable, Hashable {
        public let reason: String
        /// In bytes from the beginning.
        public let offset: Int
    }

    public init(_ text: String) throws(Mistake) {
        guard text.utf8.count <= Self.longestText else {
            throw Mistake(reason: "an expression has at most \(Self.longestText) bytes", offset: Self.longestText)
        }
        var parser = ExpressionParser(text)
        root = try parser.whole()
        self.text = text
    }

    /// What an expression is made of.
    indirect enum Node: Sendable, Hashable {
        case value(JSONValue)
        /// The parts of the name of a variable.
        case variable([String])
        case list([Node])
        case not(Node)
        case negative(Node)
        case both(Node, Node)
        case either(Node, Node)
        case compare(Comparison, Node, Node)
        /// `a in b`: an element of a list, a member's name, a part of a text.
        case contained(Node, in: Node)
        case arithmetic(Arithmetic, Node, Node)
        case choice(Node, Node, Node)
        case call(Function, [Node])
    }

    enum Arithmetic: Character, Sendable { case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%" }

    enum Function: String, Sendable, CaseIterable {
        case length, lower, upper, trim, number, text, contains, round, floor, ceiling, abs, min, max, exists, like
        case startsWith = "starts_with"
        case endsWith = "ends_with"
        case `default`

        /// How many arguments it takes.
        var arguments: ClosedRange<Int> {
            switch self {
            case .length, .lower, .upper, .trim, .number, .text, .round, .floor, .ceiling, .abs, .exists: 1...1
            case .contains, .startsWith, .endsWith, .default, .like: 2...2
            case .min, .max: 1...16
            }
        }
    }
}
