internal import Bytes

extension NameAddress {
    /// An address and its parameters where they stand (RFC 3261 §20.10).
    public struct Layout: Sendable {
        enum Display: UInt8 {
            case none
            /// Between the quotes, pairs unresolved.
            case quoted
            case words
        }

        let display: Display
        private let displaySlice: Slice
        public let uri: URI.Layout
        private let uriSlice: Slice
        private let parameterSlice: Slice
        private let tagSlice: Slice

        var displayRange: Range<Int> { displaySlice.range }
        public var uriRange: Range<Int> { uriSlice.range }
        /// From the first semicolon to the end.
        var parameters: Range<Int> { parameterSlice.range }
        public var tag: Range<Int>? { tagSlice.found }

        /// Reads one address and its parameters; nil unless the value ends with them.
        init?(parsing scanner: inout Scanner) {
            scanner.skipBlanks()
            var (display, displaySlice) = (Display.none, Slice.missing)
            if scanner.next == UInt8(ascii: "\"") {
                guard let text = scanner.quotedString() else { return nil }
                (display, displaySlice) = (.quoted, Slice(text))
            } else if scanner.next != UInt8(ascii: "<") {
                let start = scanner.position
                let words = scanner.run { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") }
                if scanner.next == UInt8(ascii: "<") {
                    for index in words {
                        let byte = scanner.bytes[index]
                        guard Scanner.isToken(byte) || Scanner.isBlank(byte) || byte >= 128 else { return nil }
                    }
                    (display, displaySlice) = (.words, Slice(words))
                } else {
                    scanner.position = start
                }
            }
            scanner.skipBlanks()
            let uriRange: Range<Int>
            if scanner.skip(UInt8(ascii: "<")) {
                uriRange = scanner.position..<scanner.bytes.firstIndex(of: UInt8(ascii: ">"), from: scanner.position, to: scanner.end)
                scanner.position = uriRange.upperBound
                guard scanner.skip(UInt8(ascii: ">")) else { return nil }
            } else {
                guard display == .none else { return nil }
                // §20: outside brackets semicolon and question mark belong to the header, and a question mark has no place there.
                uriRange = scanner.run { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") || Scanner.isBlank($0) }
                let end = uriRange.upperBound
                guard scanner.bytes.firstIndex(of: UInt8(ascii: "?"), from: uriRange.lowerBound, to: end) == end else { return nil }
            }
            guard let uri = URI.Layout(scanner.bytes, uriRange) else { return nil }
            let bytes = scanner.bytes
            var tag = Slice.missing
            let parameters: Range<Int>?
            if let only = scanner.onlyTag() {
                parameters = only.lowerBound &- 5..<only.upperBound
                tag = Slice(only)
            } else {
                parameters = scanner.headerParameters {
                    if bytes.isEqual($0.name, "tag") { tag = Slice($0.value) }
                }
            }
            guard let parameters else { return nil }
            (self.display, self.displaySlice, self.uri) = (display, displaySlice, uri)
            (uriSlice, parameterSlice, tagSlice) = (Slice(uriRange), Slice(parameters), tag)
        }
    }

    /// The address that stands there, as strings.
    init(_ layout: Layout, in bytes: Span<UInt8>) {
        switch layout.display {
        case .none: display = nil
        case .quoted: display = bytes.unquoted(layout.displayRange)
        case .words:
            display = bytes.text(layout.displayRange).split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).joined(separator: " ")
        }
        uri = URI(layout.uri, in: bytes)
        var list: [ParameterLayout] = []
        var scanner = Scanner(bytes, layout.parameters)
        while case .parameter(let parameter) = scanner.headerParameter() { list.append(parameter) }
        parameters = Parameters(list, in: bytes)
    }
}

extension Scanner {
    /// The value of `;tag=` when that is all that follows, as in nearly every From and To.
    fileprivate mutating func onlyTag() -> Range<Int>? {
        guard end &- position > 5, bytes.count &- position >= 8, bytes.word(at: position) & 0xff_ffff_ffff == 0x3d_6761_743b else { return nil }
        let start = position &+ 5
        var index = start
        while index < end, Self.isToken(bytes[index]) { index &+= 1 }
        guard index == end else { return nil }
        position = end
        return start..<end
    }
}
