internal import Bytes

/// The `;name=value` list behind a URI, an address or a Via, in the order in which it was written. Names compare without case.
public struct Parameters: Hashable, Sendable, Codable {
    public struct Parameter: Hashable, Sendable, Codable {
        public let name: String
        /// As it stands in the message: a quoted string keeps its quotes. Nil for a flag such as `lr`.
        public var value: String?

        public init(_ name: String, _ value: String?) { (self.name, self.value) = (name, value) }
    }

    public private(set) var list: [Parameter] = []

    public init(_ list: [Parameter] = []) { self.list = list }

    public var isEmpty: Bool { list.isEmpty }

    /// The value without quotes; nil when the parameter is missing or a flag. Setting nil removes it.
    public subscript(name: String) -> String? {
        get {
            guard let value = list.first(where: { ASCII.equalsIgnoringCase($0.name, name) })?.value else { return nil }
            guard value.utf8.first == UInt8(ascii: "\"") else { return value }
            let bytes = Array(value.utf8)
            var scanner = Scanner(bytes.span)
            return scanner.quotedString().map { bytes.span.unquoted($0) }
        }
        set {
            if let newValue { set(name, newValue) } else { remove(name) }
        }
    }

    /// Whether it is there, with or without a value.
    public func contains(_ name: String) -> Bool { list.contains { ASCII.equalsIgnoringCase($0.name, name) } }

    /// Replaces the parameter in its place or appends it; a nil value makes a flag.
    public mutating func set(_ name: String, _ value: String?) {
        if let index = list.firstIndex(where: { ASCII.equalsIgnoringCase($0.name, name) }) {
            list[index].value = value
        } else {
            list.append(Parameter(name, value))
        }
    }

    public mutating func remove(_ name: String) {
        list.removeAll { ASCII.equalsIgnoringCase($0.name, name) }
    }
}

extension Parameters: CustomStringConvertible {
    /// With a semicolon before each.
    public var description: String {
        var text = ""
        for parameter in list {
            text += ";" + parameter.name
            if let value = parameter.value { text += "=" + value }
        }
        return text
    }
}
