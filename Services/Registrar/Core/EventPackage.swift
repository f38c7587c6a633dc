import Bytes

/// The event packages of a registrar (RFC 6665 §4.4): what of an extension can be watched.
enum EventPackage: String, Sendable, CaseIterable {
    /// Its registration (RFC 3680).
    case registration = "reg"
    /// The dialogs of its phones (RFC 4235).
    case dialog

    /// Nil for what names none of them; parameters stand behind it.
    init?(event: String) {
        guard let name = event.split(separator: ";", omittingEmptySubsequences: false).first?.filter({ !$0.isWhitespace }) else { return nil }
        guard let package = Self.allCases.first(where: { ASCII.equalsIgnoringCase(name, $0.rawValue) }) else { return nil }
        self = package
    }

    var documentType: String {
        switch self {
        case .registration: "application/reginfo+xml"
        case .dialog: "application/dialog-info+xml"
        }
    }

    /// How long a subscription lasts that does not say: RFC 3680 §4.4, RFC 4235 §3.4.
    var fallback: Int {
        switch self {
        case .registration: 3_761
        case .dialog: 3_600
        }
    }

    static let allowed = allCases.map(\.rawValue).joined(separator: ", ")
}
