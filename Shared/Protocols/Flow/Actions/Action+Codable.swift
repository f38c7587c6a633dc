/// An action between our own processes and in the database: the same JSON that people write, ids always present.
extension Action: Codable {
    public init(from decoder: any Decoder) throws {
        let document = try JSONValue(from: decoder)
        do throws(Problems) {
            try self.init(trusted: document)
        } catch {
            let details = error.list.map { "\($0.pointer): \($0.detail)" }.joined(separator: "; ")
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: details))
        }
    }

    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    /// The action that our own process wrote as `json`; nil when this is none.
    public init?(json: JSONValue) {
        do throws(Problems) { try self.init(trusted: json) } catch { return nil }
    }

    private init(trusted document: JSONValue) throws(Problems) {
        guard let members = document.object, let id = members["id"]?.string else {
            throw Problems([Problem(pointer: "", code: .wrongType, detail: "an action is an object with an id")])
        }
        var reader = ActionReader(members, at: "", id: id, limits: .trusted, timeZones: .any)
        guard let action = reader.read(), reader.problems.isEmpty else { throw Problems(reader.problems) }
        self = action
    }

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
