internal import Bytes

/// One `;name=value`, where it stands. A quoted value keeps its quotes.
struct ParameterLayout {
    let name: Range<Int>
    let value: Range<Int>?
}

/// Why the names of parameters are told apart: one may stand once only (RFC 3261 §7.3.1), or two parsers could disagree.
///
/// A filter with a bit for each hash says of nearly every name at once that it is new. No name is empty.
struct ParameterNames {
    private var filter: UInt64 = 0

    /// Whether no parameter before `name` has that name; `earlier` looks, in the rare case that it must.
    mutating func isNew(_ name: Range<Int>, in bytes: Span<UInt8>, earlier: () -> Bool) -> Bool {
        let (first, last) = (bytes[name.lowerBound] | 32, bytes[name.upperBound &- 1] | 32)
        let hash = UInt64(truncatingIfNeeded: name.count) &* 961 &+ UInt64(first) &* 31 &+ UInt64(last)
        let bit = 1 as UInt64 &<< ((hash &* 0x9e37_79b9_7f4a_7c15) &>> 58)
        defer { filter |= bit }
        return filter & bit == 0 || !earlier()
    }
}

extension Scanner {
    enum ParameterResult {
        case parameter(ParameterLayout)
        case none
        case malformed
    }

    /// The next `SEMI generic-param` of a header value.
    @inline(__always)
    mutating func headerParameter() -> ParameterResult {
        guard skip(UInt8(ascii: ";")) else { return .none }
        guard let name = token() else { return .malformed }
        guard skip(UInt8(ascii: "=")) else { return .parameter(ParameterLayout(name: name, value: nil)) }
        let start = position
        if next == UInt8(ascii: "\"") {
            guard quotedString() != nil else { return .malformed }
        } else {
            while true {
                position = bytes.firstValueDelimiter(from: position, to: end)
                guard position < end, !Self.isBlank(bytes[position]), !Self.endsParameter(bytes[position]) else { break }
                position &+= 1
            }
            guard position > start else { return .malformed }
        }
        return .parameter(ParameterLayout(name: name, value: start..<position))
    }

    private static func endsParameter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"): true
        default: false
        }
    }

    /// All parameters up to the end of the value: where they lie, each shown to `take` once; nil when one is malformed, comes
    /// twice, or something follows.
    mutating func headerParameters(_ take: (ParameterLayout) -> Void) -> Range<Int>? {
        skipBlanks()
        let start = position
        if isAtEnd { return start..<start }
        var names = ParameterNames()
        var count = 0
        while true {
            switch headerParameter() {
            case .none:
                skipBlanks()
                return isAtEnd ? start..<position : nil
            case .malformed: return nil
            case .parameter(let parameter):
                count += 1
                let bytes = bytes
                let isNew = names.isNew(parameter.name, in: bytes) {
                    var scanner = Scanner(bytes, start..<parameter.name.lowerBound)
                    while case .parameter(let other) = scanner.headerParameter() {
                        if Self.areSame(bytes, other.name, parameter.name) { return true }
                    }
                    return false
                }
                guard isNew, count <= Parameters.limit else { return nil }
                take(parameter)
            }
        }
    }

    static func areSame(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count
        where ASCII.lowercased(bytes[left.lowerBound + offset]) != ASCII.lowercased(bytes[right.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// The next parameter of a URI, at its semicolon: neither blanks nor quotes have a meaning there.
    @inline(__always)
    mutating func uriParameter() -> ParameterResult {
        guard next == UInt8(ascii: ";") else { return isAtEnd ? .none : .malformed }
        position &+= 1
        let start = position
        while position < end, bytes[position] != UInt8(ascii: ";"), bytes[position] != UInt8(ascii: "=") { position &+= 1 }
        let name = start..<position
        guard !name.isEmpty else { return .malformed }
        guard next == UInt8(ascii: "=") else { return .parameter(ParameterLayout(name: name, value: nil)) }
        position &+= 1
        let value = position..<bytes.firstIndex(of: UInt8(ascii: ";"), from: position, to: end)
        position = value.upperBound
        return value.isEmpty ? .malformed : .parameter(ParameterLayout(name: name, value: value))
    }

    /// The same for a URI, up to the end.
    mutating func uriParameters(_ take: (ParameterLayout) -> Void) -> Bool {
        let start = position
        var names = ParameterNames()
        var count = 0
        while true {
            switch uriParameter() {
            case .none: return true
            case .malformed: return false
            case .parameter(let parameter):
                count += 1
                let bytes = bytes
                let isNew = names.isNew(parameter.name, in: bytes) {
                    var scanner = Scanner(bytes, start..<parameter.name.lowerBound - 1)
                    while case .parameter(let other) = scanner.uriParameter() {
                        if Self.areSame(bytes, other.name, parameter.name) { return true }
                    }
                    return false
                }
                guard isNew, count <= Parameters.limit else { return false }
                take(parameter)
            }
        }
    }
}

extension Parameters {
    /// More than any URI or header value has in earnest.
    static let limit = 64

    init(_ layouts: [ParameterLayout], in bytes: Span<UInt8>) {
        var list: [Parameter] = []
        for layout in layouts { list.append(Parameter(bytes.text(layout.name), layout.value.map { bytes.text($0) })) }
        self.init(list)
    }

    /// Parses `*(SEMI generic-param)` up to the end of the value; nil when malformed or a name comes twice.
    init?(parsingHeader scanner: inout Scanner) {
        var layouts: [ParameterLayout] = []
        guard scanner.headerParameters({ layouts.append($0) }) != nil else { return nil }
        self.init(layouts, in: scanner.bytes)
    }
}
