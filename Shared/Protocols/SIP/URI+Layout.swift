public import Addresses
internal import Bytes

extension URI {
    /// A URI taken apart where it stands (RFC 3261 §19.1): the one place that decides what is a URI. `URI` makes strings of it.
    public struct Layout: Sendable {
        public enum Scheme: Sendable, Hashable { case sip, sips, tel, other }

        public let scheme: Scheme
        let schemeRange: Range<Int>
        /// As written, escapes included.
        public private(set) var user: Range<Int>?
        private(set) var password: Range<Int>?
        /// An IPv6 reference keeps its brackets.
        public private(set) var host = 0..<0
        public private(set) var port: UInt16?
        /// From the first semicolon to behind the last parameter.
        private(set) var parameters = 0..<0
        private(set) var headers: Range<Int>?
        /// Everything behind the colon when the scheme is not SIP's.
        public private(set) var opaque: Range<Int>?

        public init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: range.lowerBound, to: range.upperBound)
            guard colon < range.upperBound, colon > range.lowerBound, Self.isScheme(bytes, range.lowerBound..<colon),
                Self.isWellFormed(bytes, (colon + 1)..<range.upperBound)
            else { return nil }
            schemeRange = range.lowerBound..<colon
            scheme = Self.scheme(bytes, schemeRange)
            let rest = (colon + 1)..<range.upperBound
            guard !rest.isEmpty else { return nil }
            guard scheme == .sip || scheme == .sips else {
                opaque = rest
                return
            }
            guard parse(bytes, rest) else { return nil }
        }

        private mutating func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
            var (start, end) = (range.lowerBound, range.upperBound)
            let at = bytes.firstIndex(of: UInt8(ascii: "@"), from: start, to: end)
            if at < end {
                guard parseUserInfo(bytes, start..<at) else { return false }
                start = at + 1
                guard bytes.firstIndex(of: UInt8(ascii: "@"), from: start, to: end) == end else { return false }
            }
            let mark = bytes.firstIndex(of: UInt8(ascii: "?"), from: start, to: end)
            if mark < end {
                headers = (mark + 1)..<end
                end = mark
            }
            let semicolon = bytes.firstIndex(of: UInt8(ascii: ";"), from: start, to: end)
            parameters = semicolon..<end
            if semicolon < end {
                var scanner = Scanner(bytes, parameters)
                guard scanner.uriParameters({ _ in }) else { return false }
            }
            guard let place = HostPort(bytes, start..<semicolon) else { return false }
            (host, port) = (place.host, place.port)
            return true
        }

        private mutating func parseUserInfo(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
            let end = bytes.firstIndex(of: UInt8(ascii: ":"), from: range.lowerBound, to: range.upperBound)
            guard end > range.lowerBound else { return false }
            user = range.lowerBound..<end
            if end < range.upperBound { password = (end + 1)..<range.upperBound }
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
                    guard index + 2 < range.upperBound, Hexadecimal.value(bytes[index + 1]) != nil,
                        Hexadecimal.value(bytes[index + 2]) != nil
                    else { return false }
                    index &+= 3
                default: index &+= 1
                }
            }
            return true
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
            while end < range.upperBound, Self.isHostByte(bytes[end]) { end &+= 1 }
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

    private static func isHostByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}
