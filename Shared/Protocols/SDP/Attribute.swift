/// An `a=` line: a property (`a=sendrecv`) or a value (`a=ptime:20`), RFC 8866 §5.13.
public struct Attribute: Hashable, Sendable {
    public var name: String
    public var value: String?

    public init(_ name: String, _ value: String? = nil) { (self.name, self.value) = (name, value) }
}

extension Attribute: CustomStringConvertible {
    public var description: String { value.map { "\(name):\($0)" } ?? name }
}

extension Array where Element == Attribute {
    /// The value of the first attribute of that name; names are case-sensitive (RFC 8866 §5.13).
    public func first(named name: String) -> String? { first { $0.name == name }?.value }

    public func contains(named name: String) -> Bool { contains { $0.name == name } }
}
