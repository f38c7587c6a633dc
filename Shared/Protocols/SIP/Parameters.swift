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
            var scanner = Scanner(value)
            return scanner.quotedString()
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

    /// Parses `*(SEMI generic-param)` up to the end of the value; nil when malformed or a name comes twice.
    init?(parsingHeader scanner: inout Scanner) {
        while scanner.skip(UInt8(ascii: ";")) {
            guard let nameRange = scanner.token() else { return nil }
            let name = scanner.text(nameRange)
            guard !contains(name) else { return nil }
            guard scanner.skip(UInt8(ascii: "=")) else {
                list.append(Parameter(name, nil))
                continue
            }
            if scanner.next == UInt8(ascii: "\"") {
                let start = scanner.position
                guard scanner.quotedString() != nil else { return nil }
                list.append(Parameter(name, scanner.text(start..<scanner.position)))
            } else {
                let range = scanner.run { Scanner.isBlank($0) || Self.endsHeaderValue($0) }
                guard !range.isEmpty else { return nil }
                list.append(Parameter(name, scanner.text(range)))
            }
        }
    }

    private static func endsHeaderValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"): true
        default: false
        }
    }

    /// Parses the parameters of a URI, given without their first semicolon; nil when one is empty or comes twice.
    init?(parsingURI bytes: ArraySlice<UInt8>) {
        for part in bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            let pieces = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(decoding: pieces[0], as: UTF8.self)
            guard !name.isEmpty, !contains(name) else { return nil }
            if pieces.count == 2 {
                guard !pieces[1].isEmpty else { return nil }
                list.append(Parameter(name, String(decoding: pieces[1], as: UTF8.self)))
            } else {
                list.append(Parameter(name, nil))
            }
        }
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
