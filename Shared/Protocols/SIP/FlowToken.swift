public import Addresses
internal import Bytes
internal import Cryptography

/// A signed word for the user part of Path, Route and Record-Route that says where a request goes next, so that no edge has to
/// remember it (RFC 5626 §5.2). What was not signed with the key is not believed.
public struct FlowToken: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// A phone: `remote` over `transport`, reached from the event loop that listens on `inside`.
        case flow = 1
        /// A server inside the network that listens on `inside`.
        case server = 2
    }

    public let kind: Kind
    public let inside: SocketAddress
    public let transport: Transport
    /// The phone's address; that of `inside` for a server.
    public let remote: SocketAddress
    /// Slot and generation of a stream connection in the table of its loop; zero for datagrams.
    public let connection: UInt32
    public let generation: UInt32

    public init(
        flow remote: SocketAddress, over transport: Transport, inside: SocketAddress, connection: UInt32 = 0,
        generation: UInt32 = 0
    ) {
        (kind, self.inside, self.transport, self.remote) = (.flow, inside, transport, remote)
        (self.connection, self.generation) = (connection, generation)
    }

    public init(server: SocketAddress) {
        (kind, inside, transport, remote, connection, generation) = (.server, server, .udp, server, 0, 0)
    }

    private static let version: UInt8 = 1
    /// 80 bits: beyond guessing over a network, and short enough for a URI.
    private static let codeLength = 10

    /// Layout: version and kind, flags (transport, address families), addresses, connection; then the code; in URL-safe Base64.
    public func sealed(key: [UInt8]) -> String {
        var bytes = [Self.version << 4 | kind.rawValue]
        bytes.append(transport.rawValue | (inside.address.isIPv4 ? 0 : 0x40) | (remote.address.isIPv4 ? 0 : 0x80))
        append(inside, to: &bytes)
        if kind == .flow {
            append(remote, to: &bytes)
            if transport.isReliable {
                append(UInt64(connection), width: 4, to: &bytes)
                append(UInt64(generation), width: 4, to: &bytes)
            }
        }
        return Base64.encode(bytes + Self.code(bytes, key: key), .urlSafe)
    }

    /// Nil for anything that `sealed` did not make with the same key.
    public init?(verifying text: some StringProtocol, key: [UInt8]) {
        guard text.utf8.count <= 96, let all = Base64.decode(text.utf8, .urlSafe), all.count > Self.codeLength + 2 else {
            return nil
        }
        let bytes = Array(all.dropLast(Self.codeLength))
        guard equalInConstantTime(Array(all.suffix(Self.codeLength)), Self.code(bytes, key: key)) else { return nil }
        guard bytes[0] >> 4 == Self.version, let kind = Kind(rawValue: bytes[0] & 15),
            let transport = Transport(rawValue: bytes[1] & 0x3f)
        else { return nil }
        var position = 2
        guard let inside = Self.address(bytes, &position, isIPv4: bytes[1] & 0x40 == 0) else { return nil }
        guard kind == .flow else {
            self.init(server: inside)
            return
        }
        guard let remote = Self.address(bytes, &position, isIPv4: bytes[1] & 0x80 == 0) else { return nil }
        var (connection, generation): (UInt32, UInt32) = (0, 0)
        if transport.isReliable {
            guard let slot = Self.number(bytes, &position, width: 4), let age = Self.number(bytes, &position, width: 4) else {
                return nil
            }
            (connection, generation) = (UInt32(slot), UInt32(age))
        }
        self.init(flow: remote, over: transport, inside: inside, connection: connection, generation: generation)
    }

    private static func code(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        Array(DigestAlgorithm.sha256.authenticate(bytes, key: key).prefix(codeLength))
    }

    private func append(_ address: SocketAddress, to bytes: inout [UInt8]) {
        if let v4 = address.address.v4 {
            append(UInt64(v4), width: 4, to: &bytes)
        } else {
            append(address.address.high, width: 8, to: &bytes)
            append(address.address.low, width: 8, to: &bytes)
        }
        append(UInt64(address.port), width: 2, to: &bytes)
    }

    private func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for index in stride(from: width - 1, through: 0, by: -1) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
        }
    }

    private static func number(_ bytes: [UInt8], _ position: inout Int, width: Int) -> UInt64? {
        guard bytes.count - position >= width else { return nil }
        defer { position += width }
        return bytes[position..<position + width].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func address(_ bytes: [UInt8], _ position: inout Int, isIPv4: Bool) -> SocketAddress? {
        let ip: IPAddress
        if isIPv4 {
            guard let v4 = number(bytes, &position, width: 4) else { return nil }
            ip = IPAddress(v4: UInt32(v4))
        } else {
            guard let high = number(bytes, &position, width: 8), let low = number(bytes, &position, width: 8) else { return nil }
            ip = IPAddress(v6High: high, v6Low: low)
        }
        guard let port = number(bytes, &position, width: 2) else { return nil }
        return SocketAddress(ip, port: UInt16(port))
    }
}
