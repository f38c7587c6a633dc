public import Flow
internal import FoundationEssentials
internal import JSONCoding

extension JSONValue {
    /// A resource as the JSON value it is written as: the data of an event.
    public init(encoding resource: some Encodable) throws {
        self = try JSONValue(json: JSONText.encode(resource))
    }

    /// The resource this value is the JSON of.
    public func decoded<Resource: Decodable>(as type: Resource.Type) throws -> Resource {
        try JSONText.decode(type, from: JSONText.encode(self))
    }
}
