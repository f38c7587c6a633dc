/// An action between our own processes and in the database: the same JSON that people write, ids always present.
extension Action: Codable {
    public init(from decoder: any Decoder) throws {
        guard case .object(let members) = try JSONValue(from: decoder), let id = members["id"]?.string else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "an action is an object with an id"))
        }
        var reader = ActionReader(members, at: "", id: id, limits: .trusted, timeZones: .any)
        guard let action = reader.read(), reader.problems.isEmpty else {
            let details = reader.problems.map { "\($0.pointer): \($0.detail)" }.joined(separator: "; ")
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: details))
        }
        self = action
    }

    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    public var json: JSONValue {
        var writer = OptionWriter()
        var kind = kind
        kind.visit(&writer)
        var members: [String: JSONValue] = ["id": .string(id), "type": .string(type.rawValue)]
        if !writer.members.isEmpty { members["option"] = .object(writer.members) }
        members["next_id"] = nextID.map(JSONValue.string)
        return .object(members)
    }
}
