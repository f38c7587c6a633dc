internal import Bytes

/// The value of `Replaces` (RFC 3891 §6.1) or `Join` (RFC 3911 §7.1): a dialog of the one who receives it.
public struct DialogReference: Hashable, Sendable, Codable {
    public var callID: String
    /// The tag of whoever receives it.
    public var toTag: String
    public var fromTag: String
    /// Only as long as nobody has answered.
    public var isEarlyOnly: Bool

    /// Nil without both tags, once each.
    public init?(_ text: some StringProtocol) {
        let parts = String(text).split(separator: ";", omittingEmptySubsequences: false).map { part in part.filter { $0 != " " && $0 != "\t" } }
        guard let callID = parts.first, !callID.isEmpty, parts.count <= 16 else { return nil }
        var (to, from, isEarlyOnly): (String?, String?, Bool) = (nil, nil, false)
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count == 2 ? String(pair[1]) : nil
            switch pair.first?.lowercased() {
            case "to-tag":
                guard to == nil, value?.isEmpty == false else { return nil }
                to = value
            case "from-tag":
                guard from == nil, value?.isEmpty == false else { return nil }
                from = value
            case "early-only": isEarlyOnly = true
            default: break
            }
        }
        guard let to, let from else { return nil }
        (self.callID, toTag, fromTag, self.isEarlyOnly) = (callID, to, from, isEarlyOnly)
    }

    /// Both tags must fit; a tag of 0 is none (RFC 3891 §3, for what RFC 2543 made).
    public func names(_ dialog: Dialog) -> Bool {
        guard callID == dialog.callID else { return false }
        return Self.fits(toTag, dialog.localTag) && Self.fits(fromTag, dialog.remoteTag)
    }

    private static func fits(_ named: String, _ tag: String) -> Bool { named == tag || named == "0" && tag.isEmpty }
}

extension URI {
    /// A header field that whoever calls this URI is to send (RFC 3261 §19.1.1), with its escapes resolved; nil when it is not there once.
    public func header(_ name: String) -> String? {
        guard let headers else { return nil }
        let found = headers.split(separator: "&").compactMap { field -> String? in
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, ASCII.equalsIgnoringCase(Self.unescaped(String(pair[0])), name) else { return nil }
            return Self.unescaped(String(pair[1]))
        }
        return found.count == 1 ? found[0] : nil
    }
}
