/// Who is called or calls, as VoIPbin's flows write it: `{"type": "extension", "target": "1002", ...}`.
public struct Address: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case agent, ai, conference, email, `extension`, line, sip, tel, webchat, whatsapp
        case aiTeam = "ai_team"
        case webSession = "web_session"
    }

    public var kind: Kind
    /// A number, a SIP URI, an extension's number or id, a conference's id, ...
    public var target: String
    public var targetName: String?
    public var name: String?
    public var detail: String?

    public init(kind: Kind, target: String, targetName: String? = nil, name: String? = nil, detail: String? = nil) {
        (self.kind, self.target) = (kind, target)
        (self.targetName, self.name, self.detail) = (targetName, name, detail)
    }

    enum CodingKeys: String, CodingKey {
        case kind = "type"
        case target, name, detail
        case targetName = "target_name"
    }
}
