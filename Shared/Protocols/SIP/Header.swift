/// A header of a message being built, by name: for those without a field of their own in a builder.
public struct Header: Sendable, Hashable, Codable {
    public let name: String
    public let value: String

    public init(_ name: HeaderName, _ value: String) { (self.name, self.value) = (name.text, value) }
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}
