internal import Bytes

extension Via {
    /// A Via value where it stands (RFC 3261 §20.42, RFC 3581).
    public struct Layout: Sendable {
        public let port: UInt16?
        private let transportSlice: Slice
        private let hostSlice: Slice
        private let sentBySlice: Slice
        private let parameterSlice: Slice
        private let branchSlice: Slice
        private let receivedSlice: Slice
        private let rportSlice: Slice
        private let tokenSlice: Slice

        var transport: Range<Int> { transportSlice.range }
        public var host: Range<Int> { hostSlice.range }
        /// `host[:port]` as written.
        public var sentBy: Range<Int> { sentBySlice.range }
        /// From the first semicolon to the end.
        public var parameters: Range<Int> { parameterSlice.range }
        public var branch: Range<Int>? { branchSlice.found }
        /// The whole parameters, from the semicolon, when they are there.
        public var received: Range<Int>? { receivedSlice.found }
        public var rport: Range<Int>? { rportSlice.found }
        /// The way back that a proxy of ours has signed.
        public var token: Range<Int>? { tokenSlice.found }
        public var wantsSourcePort: Bool { rport != nil }

        /// `isLenient`: as far as it takes to answer whoever sent it, in another version of SIP or with parameters that are none.
        init?(parsing scanner: inout Scanner, isLenient: Bool = false) {
            scanner.skipBlanks()
            guard scanner.skipVersion(isLenient: isLenient), let name = scanner.token() else { return nil }
            guard let separator = scanner.next, Scanner.isBlank(separator) else { return nil }
            scanner.skipBlanks()
            let range = scanner.run { Scanner.isBlank($0) || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") }
            guard let place = HostPort(scanner.bytes, range) else { return nil }
            var (port, sentByEnd) = (place.port, range.upperBound)
            // §25.1 lets blanks stand around the colon of sent-by.
            if port == nil, scanner.skip(UInt8(ascii: ":")) {
                guard let number = scanner.decimal(), let value = UInt16(exactly: number) else { return nil }
                (port, sentByEnd) = (value, scanner.position)
            }
            let bytes = scanner.bytes
            var (branch, received, rport, token) = (Slice.missing, Slice.missing, Slice.missing, Slice.missing)
            let parameters = scanner.headerParameters { parameter in
                switch parameter.name.count {
                case 6:
                    if bytes.isEqual(parameter.name, "branch") {
                        branch = Slice(parameter.value)
                    } else if bytes.isEqual(parameter.name, "tandem") {
                        token = Slice(parameter.value)
                    }
                case 5: if bytes.isEqual(parameter.name, "rport") { rport = Slice(Self.whole(parameter, bytes)) }
                case 8: if bytes.isEqual(parameter.name, "received") { received = Slice(Self.whole(parameter, bytes)) }
                default: break
                }
            }
            guard parameters != nil || isLenient else { return nil }
            (self.port, transportSlice, hostSlice) = (port, Slice(name), Slice(place.host))
            sentBySlice = Slice(place.host.lowerBound..<sentByEnd)
            parameterSlice = Slice(parameters ?? sentByEnd..<sentByEnd)
            (branchSlice, receivedSlice, rportSlice, tokenSlice) = (branch, received, rport, token)
        }

        /// With the semicolon before it.
        private static func whole(_ parameter: ParameterLayout, _ bytes: Span<UInt8>) -> Range<Int> {
            var start = parameter.name.lowerBound
            while start > 0, bytes[start] != UInt8(ascii: ";") { start &-= 1 }
            return start..<(parameter.value ?? parameter.name).upperBound
        }

        /// Whether the branch is unique in space and time, as RFC 3261 clients promise with the magic cookie (§8.1.1.7).
        public func hasUniqueBranch(in bytes: Span<UInt8>) -> Bool {
            guard let branch, branch.count > 7 else { return false }
            return bytes.isEqual(branch.lowerBound..<branch.lowerBound + 7, "z9hG4bK")
        }

        /// The value of a parameter; nil when it is missing or a flag.
        public func parameter(_ name: StaticString, in bytes: Span<UInt8>) -> Range<Int>? {
            var scanner = Scanner(bytes, parameters)
            while case .parameter(let parameter) = scanner.headerParameter() {
                if bytes.isEqual(parameter.name, name) { return parameter.value }
            }
            return nil
        }
    }

    /// The Via that stands there, as strings.
    init(_ layout: Layout, in bytes: Span<UInt8>) {
        (transport, host, port) = (bytes.text(layout.transport).uppercased(), bytes.text(layout.host), layout.port)
        var list: [ParameterLayout] = []
        var scanner = Scanner(bytes, layout.parameters)
        while case .parameter(let parameter) = scanner.headerParameter() { list.append(parameter) }
        parameters = Parameters(list, in: bytes)
    }
}

extension Scanner {
    /// `SIP / 2.0 /` of a Via, nearly always written without blanks.
    fileprivate mutating func skipVersion(isLenient: Bool) -> Bool {
        if end - position >= 8, bytes.word(at: position) == 0x2f30_2e32_2f50_4953 {
            position &+= 8
            skipBlanks()
            return true
        }
        guard skip("SIP"), skip(UInt8(ascii: "/")) else { return false }
        return (skip("2.0") || (isLenient && token() != nil)) && skip(UInt8(ascii: "/"))
    }
}
