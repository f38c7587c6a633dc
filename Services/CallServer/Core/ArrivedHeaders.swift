import Flow
import SIP

/// The header fields of an INVITE that its flow may read, as `call.header.NAME` with the name in lower case: those that the platform
/// itself makes nothing of. Bounded, as they come from outside.
enum ArrivedHeaders {
    private static let most = 16
    private static let longest = 256
    private static let told: Set<String> = ["diversion", "history-info", "subject", "user-agent", "user-to-user", "alert-info", "call-info", "priority"]

    /// Nil when there are none. Of several fields of a name the first counts.
    static func of(_ message: Message) -> [String: String]? {
        var found: [String: String] = [:]
        for field in message.fields {
            let name = message.name(of: field).lowercased()
            guard found.count < most, found[name] == nil, name.utf8.count <= 64 else { continue }
            guard told.contains(name) || name.hasPrefix("x-") && !name.hasPrefix("x-tandem-") else { continue }
            let value = message.value(of: field)
            guard value.utf8.count <= longest, value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else { continue }
            found[name] = value
        }
        return found.isEmpty ? nil : found
    }
}
