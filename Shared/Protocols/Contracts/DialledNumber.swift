/// What a caller dials inside a customer's domain: an extension's number, or one phone by its GRUU (RFC 5627 §3.1).
///
/// As one text it is the user part, followed for a GRUU by `;gr` or `;gr=VALUE` as in the URI; no number holds a semicolon.
public struct DialledNumber: Sendable, Equatable {
    /// The user part of the URI: the extension's number, or the token of a temporary GRUU.
    public let user: String
    /// Whether the URI has a `gr` parameter.
    public let isGRUU: Bool
    /// The value of `gr`, which names the phone; nil when the user part alone does.
    public let gr: String?

    public init(user: String, isGRUU: Bool = false, gr: String? = nil) {
        (self.user, self.isGRUU, self.gr) = (user, isGRUU, isGRUU ? gr : nil)
    }

    /// Reads `text`, and whatever else stands behind a semicolon is left out.
    public init(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        let parameter = parts.dropFirst().first { $0 == "gr" || $0.hasPrefix("gr=") }
        let value = parameter.map { $0.dropFirst(3) } ?? ""
        self.init(
            user: parts.first.map(String.init) ?? "", isGRUU: parameter != nil, gr: value.isEmpty ? nil : String(value))
    }

    public var text: String {
        guard isGRUU else { return user }
        return gr.map { "\(user);gr=\($0)" } ?? "\(user);gr"
    }
}
