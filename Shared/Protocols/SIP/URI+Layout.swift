public import Addresses
internal import Bytes

extension URI {
    /// A URI taken apart where it stands (RFC 3261 §19.1): the one place that decides what is a URI. `URI` makes strings of it.
    public struct Layout: Sendable {
        public enum Scheme: Sendable, Hashable { case sip, sips, tel, other }

        public let scheme: Scheme
        public private(set) var port: UInt16?
        private let schemeSlice: Slice
        private var userSlice = Slice.missing
        private var passwordSlice = Slice.missing
        private var hostSlice = Slice.missing
        private var parameterSlice = Slice.missing
        private var headerSlice = Slice.missing
        private var opaqueSlice = Slice.missing

        var schemeRange: Range<Int> { schemeSlice.range }
        /// As written, escapes included.
        public var user: Range<Int>? { userSlice.found }
        var password: Range<Int>? { passwordSlice.found }
        /// An IPv6 reference keeps its brackets.
        public var host: Range<Int> { hostSlice.range }
        /// From the first semicolon to behind the last parameter.
        var parameters: Range<Int> { parameterSlice.range }
        var headers: Range<Int>? { headerSlice.found }
        /// Everything behind the colon when the scheme is not SIP's.
        public var opaque: Range<Int>? { opaqueSlice.found }

        public init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            if range.count > 4, bytes.beginsWithSIP(range) {
                (scheme, schemeSlice) = (.sip, Slice(range.lowerBound..<range.lowerBound &+ 3))
                guard parse(bytes, range.lowerBound &+ 4..<range.upperBound) else { return nil }
                return
            }
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: range.lowerBound, to: range.upperBound)
            let rest = min(colon &+ 1, range.upperBound)..<range.upperBound
            guard !rest.isEmpty, colon > range.lowerBound else { return nil }
            let name = range.lowerBound..<colon
            schemeSlice = Slice(name)
            scheme = Self.scheme(bytes, name)
            guard scheme == .sip || scheme == .sips else {
                guard scheme == .tel || Self.isScheme(bytes, name), Self.isWellFormed(bytes, rest) else { return nil }
                opaqueSlice = Slice(rest)
                return
            }
            guard parse(bytes, rest) else { return nil }
        }

        /// One pass over all that follows the scheme, then one over the parameters and the host.
        private mutating func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
            var (start, end) = (range.lowerBound, range.upperBound)
            var (colon, at, semicolon, mark): (Int?, Int?, Int?, Int?)
            var index = start
            while true {
                index = bytes.firstURIDelimiter(from: index, to: end)
                guard index < end else { break }
                switch bytes[index] {
                case UInt8(ascii: ":"): colon = colon ?? index
                case UInt8(ascii: ";"): if mark == nil { semicolon = semicolon ?? index }
                case UInt8(ascii: "?"): mark = mark ?? index
                case UInt8(ascii: "@"):
                    // What came before belongs to the user.
                    guard at == nil else { return false }
                    (at, semicolon, mark) = (index, nil, nil)
                case UInt8(ascii: "%"):
                    guard Self.isEscape(bytes, index, end) else { return false }
                    index &+= 2
                case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"): break
                default: return false
                }
                index &+= 1
            }
            if let at {
                let userEnd = min(colon ?? at, at)
                guard userEnd > start else { return false }
                userSlice = Slice(start..<userEnd)
                if userEnd < at { passwordSlice = Slice((userEnd &+ 1)..<at) }
                start = at &+ 1
            }
            if let mark {
                headerSlice = Slice((mark &+ 1)..<end)
                end = mark
            }
            let parameters = (semicolon ?? end)..<end
            parameterSlice = Slice(parameters)
            if semicolon != nil {
                var scanner = Scanner(bytes, parameters)
                guard scanner.uriParameters({ _ in }) else { return false }
            }
            guard let place = HostPort(bytes, start..<parameters.lowerBound) else { return false }
            (hostSlice, port) = (Slice(place.host), place.port)
            return true
        }

        /// The value of a parameter; nil when it is missing or a flag.
        public func parameter(_ name: StaticString, in bytes: Span<UInt8>) -> Range<Int>? {
            var scanner = Scanner(bytes, parameters)
            while case .parameter(let parameter) = scanner.uriParameter() {
                if bytes.isEqual(parameter.name, name) { return parameter.value }
            }
            return nil
        }

        /// The address in the host part; nil when that is a name.
        public func address(in bytes: Span<UInt8>) -> IPAddress? {
            host.isEmpty ? nil : IPAddress(parsing: bytes.extracting(host))
        }

        private static func scheme(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Scheme {
            if bytes.isEqual(range, "sip") { return .sip }
            if bytes.isEqual(range, "sips") { return .sips }
            return bytes.isEqual(range, "tel") ? .tel : .other
        }

        private static func isScheme(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
            guard ASCII.isLetter(bytes[range.lowerBound]) else { return false }
            for index in range {
                let byte = bytes[index]
                guard ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: ".")
                else { return false }
            }
            return true
        }

        /// No blank, control or non-ASCII byte, no delimiter of `<...>`, and every percent sign followed by two digits.
        private static func isWellFormed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
            var index = range.lowerBound
            while index < range.upperBound {
                switch bytes[index] {
                case ...32, 127..., UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): return false
                case UInt8(ascii: "%"):
                    guard isEscape(bytes, index, range.upperBound) else { return false }
                    index &+= 3
                default: index &+= 1
                }
            }
            return true
        }

        private static func isEscape(_ bytes: Span<UInt8>, _ index: Int, _ end: Int) -> Bool {
            index &+ 2 < end && Hexadecimal.value(bytes[index &+ 1]) != nil && Hexadecimal.value(bytes[index &+ 2]) != nil
        }
    }

    /// The URI that stands there, as strings.
    init(_ layout: Layout, in bytes: Span<UInt8>) {
        scheme = bytes.text(layout.schemeRange).lowercased()
        user = layout.user.map { bytes.text($0) }
        password = layout.password.map { bytes.text($0) }
        host = bytes.text(layout.host)
        port = layout.port
        headers = layout.headers.map { bytes.text($0) }
        opaque = layout.opaque.map { bytes.text($0) }
        var list: [ParameterLayout] = []
        var scanner = Scanner(bytes, layout.parameters)
        while case .parameter(let parameter) = scanner.uriParameter() { list.append(parameter) }
        parameters = Parameters(list, in: bytes)
    }
}

extension Span where Element == UInt8 {
    /// Whether the first four bytes of the range, which are there, are `sip:`.
    @inline(__always)
    fileprivate func beginsWithSIP(_ range: Range<Int>) -> Bool {
        let start = range.lowerBound
        return self[start] | 32 == UInt8(ascii: "s") && self[start &+ 1] | 32 == UInt8(ascii: "i")
            && self[start &+ 2] | 32 == UInt8(ascii: "p") && self[start &+ 3] == UInt8(ascii: ":")
    }
}

/// `host [":" port]` of RFC 3261 §25.1, in a URI and as Via's sent-by.
struct HostPort {
    let host: Range<Int>
    let port: UInt16?

    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return nil }
        var end = range.lowerBound
        if bytes[end] == UInt8(ascii: "[") {
            end = bytes.firstIndex(of: UInt8(ascii: "]"), from: end, to: range.upperBound) + 1
            guard end <= range.upperBound, IPAddress(parsing: bytes.extracting(range.lowerBound..<end)) != nil else { return nil }
        } else {
            end = bytes.firstNonHost(from: end, to: range.upperBound)
            guard end > range.lowerBound else { return nil }
        }
        host = range.lowerBound..<end
        guard end < range.upperBound else {
            port = nil
            return
        }
        guard bytes[end] == UInt8(ascii: ":"), let number = ASCII.decimal(bytes.extracting((end + 1)..<range.upperBound)),
            let port = UInt16(exactly: number)
        else { return nil }
        self.port = port
    }
}
