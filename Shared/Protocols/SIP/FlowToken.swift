public import Addresses
internal import Bytes
public import Cryptography

/// A signed word for the user part of Path, Route and Record-Route that says where a request goes next, so that no edge has to
/// remember it (RFC 5626 §5.2). What was not signed with the key is not believed.
public struct FlowToken: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// A phone: `remote` over `transport`, reached from the event loop that listens on `inside`.
        case flow = 1
        /// A server inside the network that listens on `inside`.
        case server = 2
        /// The edge with that inside address, for the Route a phone sets before it begins anything (RFC 3608): it proves nothing.
        case edge = 3
    }

    public let kind: Kind
    public let inside: SocketAddress
    public let transport: Transport
    /// The phone's address; that of `inside` for all else.
    public let remote: SocketAddress
    /// Slot and generation of a stream connection in the table of its loop; zero for datagrams. Of a server its source port.
    public let connection: UInt32
    public let generation: UInt32

    public init(
        flow remote: SocketAddress, over transport: Transport, inside: SocketAddress, connection: UInt32 = 0,
        generation: UInt32 = 0
    ) {
        (kind, self.inside, self.transport, self.remote) = (.flow, inside, transport, remote)
        (self.connection, self.generation) = (connection, generation)
    }

    public init(server: SocketAddress) { self.init(.server, server) }

    public init(edge: SocketAddress) { self.init(.edge, edge) }

    private init(_ kind: Kind, _ inside: SocketAddress) {
        (self.kind, self.inside, transport, remote, connection, generation) = (kind, inside, .udp, inside, 0, 0)
    }

    /// A server that has sent over a connection which it made from this port.
    public init(server: SocketAddress, connectedFrom port: UInt16) {
        (kind, inside, transport, remote, connection, generation) = (.server, server, .tcp, server, UInt32(port), 0)
    }

    private static let version: UInt8 = 2
    /// 80 bits: beyond guessing over a network, and short enough for a URI.
    private static let codeLength = 10
    /// With two IPv6 addresses and a connection: 56 bytes.
    private static let longest = 56
    /// The longest text of a token.
    public static let longestText = (longest * 4 + 2) / 3

    /// Writes version and kind, flags (transport, address families), addresses, connection and the code over them, in URL-safe
    /// Base64: at most `longestText` bytes.
    public func write(into output: inout OutputSpan<UInt8>, key: SipHash) {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        bytes[0] = Self.version << 4 | kind.rawValue
        bytes[1] = transport.rawValue | (inside.address.isIPv4 ? 0 : 0x40) | (remote.address.isIPv4 ? 0 : 0x80)
        var count = 2
        Self.append(inside, &bytes, &count)
        if kind == .flow {
            Self.append(remote, &bytes, &count)
            if transport.isReliable {
                Self.append(UInt64(connection), width: 4, &bytes, &count)
                Self.append(UInt64(generation), width: 4, &bytes, &count)
            }
        } else if transport.isReliable {
            Self.append(UInt64(connection), width: 2, &bytes, &count)
        }
        let code = key.code(bytes.span.extracting(0..<count))
        Self.append(code.low, width: 8, &bytes, &count)
        Self.append(code.high & 0xffff, width: 2, &bytes, &count)
        Base64.writeURLSafe(bytes.span.extracting(0..<count), into: &output)
    }

    public func sealed(key: SipHash) -> String {
        let text = unsafe [UInt8](unsafeUninitializedCapacity: Self.longestText) { buffer, count in
            var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            write(into: &output, key: key)
            count = unsafe output.finalize(for: buffer)
        }
        return String(decoding: text, as: UTF8.self)
    }

    public init?(verifying text: some StringProtocol, key: SipHash) {
        let bytes = Array(text.utf8)
        self.init(verifying: bytes.span, key: key)
    }

    /// Nil for anything that `write` did not make with the same key.
    public init?(verifying text: Span<UInt8>, key: SipHash) {
        guard text.count <= Self.longestText, text.count >= 16 else { return nil }
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var total = 0
        let isText = Base64.readURLSafe(text, into: &bytes, count: &total)
        guard isText, total > Self.codeLength + 2 else { return nil }
        let count = total - Self.codeLength
        var position = count
        guard let low = Self.number(bytes, &position, total, width: 8), let high = Self.number(bytes, &position, total, width: 2) else {
            return nil
        }
        let code = key.code(bytes.span.extracting(0..<count))
        guard SipHash.Code(low: low, high: high).isEqual(to: SipHash.Code(low: code.low, high: code.high & 0xffff)) else { return nil }
        guard bytes[0] >> 4 == Self.version, let kind = Kind(rawValue: bytes[0] & 15),
            let transport = Transport(rawValue: bytes[1] & 0x3f)
        else { return nil }
        position = 2
        guard let inside = Self.address(bytes, &position, count, isIPv4: bytes[1] & 0x40 == 0) else { return nil }
        guard kind == .flow else {
            guard transport.isReliable else {
                self.init(kind, inside)
                return
            }
            guard kind == .server, let port = Self.number(bytes, &position, count, width: 2) else { return nil }
            self.init(server: inside, connectedFrom: UInt16(truncatingIfNeeded: port))
            return
        }
        guard let remote = Self.address(bytes, &position, count, isIPv4: bytes[1] & 0x80 == 0) else { return nil }
        var (connection, generation): (UInt32, UInt32) = (0, 0)
        if transport.isReliable {
            guard let slot = Self.number(bytes, &position, count, width: 4),
                let age = Self.number(bytes, &position, count, width: 4)
            else { return nil }
            (connection, generation) = (UInt32(truncatingIfNeeded: slot), UInt32(truncatingIfNeeded: age))
        }
        self.init(flow: remote, over: transport, inside: inside, connection: connection, generation: generation)
    }

    private static func append(_ address: SocketAddress, _ bytes: inout InlineArray<64, UInt8>, _ count: inout Int) {
        if let v4 = address.address.v4 {
            append(UInt64(v4), width: 4, &bytes, &count)
        } else {
            append(address.address.high, width: 8, &bytes, &count)
            append(address.address.low, width: 8, &bytes, &count)
        }
        append(UInt64(address.port), width: 2, &bytes, &count)
    }

    /// The lowest `width` bytes of a number; what is written behind them is written over by the next.
    @inline(__always)
    private static func append(_ value: UInt64, width: Int, _ bytes: inout InlineArray<64, UInt8>, _ count: inout Int) {
        bytes.write(bigEndian: value &<< UInt64(64 &- 8 &* width), at: count)
        count &+= width
    }

    @inline(__always)
    private static func number(_ bytes: borrowing InlineArray<64, UInt8>, _ position: inout Int, _ end: Int, width: Int) -> UInt64? {
        guard end &- position >= width, position &+ 8 <= 64 else { return nil }
        defer { position &+= width }
        return bytes.bigEndian(at: position) &>> UInt64(64 &- 8 &* width)
    }

    private static func address(
        _ bytes: borrowing InlineArray<64, UInt8>, _ position: inout Int, _ end: Int, isIPv4: Bool
    ) -> SocketAddress? {
        let ip: IPAddress
        if isIPv4 {
            guard let v4 = number(bytes, &position, end, width: 4) else { return nil }
            ip = IPAddress(v4: UInt32(truncatingIfNeeded: v4))
        } else {
            guard let high = number(bytes, &position, end, width: 8), let low = number(bytes, &position, end, width: 8) else {
                return nil
            }
            ip = IPAddress(v6High: high, v6Low: low)
        }
        guard let port = number(bytes, &position, end, width: 2) else { return nil }
        return SocketAddress(ip, port: UInt16(truncatingIfNeeded: port))
    }
}
