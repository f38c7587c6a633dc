internal import Addresses
internal import Bytes

/// Why an `a=candidate` is passed over; the others go on being used (RFC 8839 §5.1).
public enum CandidateError: Error, Hashable, Sendable, CaseIterable {
    case malformed
    /// TCP, or something of the future.
    case otherTransport
    /// A kind of the future.
    case otherKind
    /// A name, as browsers hide their addresses behind (mDNS): they will be seen when they come.
    case name
    /// A wildcard, a group or port zero.
    case unusableAddress
}

extension Candidate {
    /// Parses the value of `a=candidate`, with or without the attribute's name before it (RFC 8839 §5.1).
    public init(parsing value: some StringProtocol) throws(CandidateError) {
        var text = value[...]
        for prefix in ["a=", "candidate:"] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
        guard text.utf8.count <= 1024 else { throw .malformed }
        let fields = text.split(separator: " ")
        guard fields.count >= 8, fields.count.isMultiple(of: 2), fields[6] == "typ", (1...32).contains(fields[0].utf8.count),
            fields[0].utf8.allSatisfy(Credentials.isICECharacter),
            let component = ASCII.decimal(fields[1].utf8), (1...256).contains(component),
            let priority = ASCII.decimal(fields[3].utf8), let port = ASCII.decimal(fields[5].utf8), port <= UInt16.max
        else { throw .malformed }
        guard ASCII.equalsIgnoringCase(fields[2], "udp") else { throw .otherTransport }
        guard let priority = UInt32(exactly: priority), Self.priorities.contains(priority) else { throw .malformed }
        guard let kind = Kind(rawValue: String(fields[7])) else { throw .otherKind }
        guard let address = IPAddress(fields[4]) else { throw .name }
        let extensions = Extensions(fields.dropFirst(8))
        let candidate = SocketAddress(address, port: UInt16(port))
        guard Self.isUsable(candidate) else { throw .unusableAddress }
        self.init(
            foundation: String(fields[0]), component: Component(rawValue: UInt16(component)), priority: priority, address: candidate,
            kind: kind, relatedAddress: extensions.relatedAddress, fragment: extensions.fragment)
    }

    /// What stands behind the kind: names and values, of which few mean anything here.
    private struct Extensions {
        var relatedAddress: SocketAddress?
        var fragment: String?

        init(_ fields: some RandomAccessCollection<some StringProtocol>) {
            var (address, port): (IPAddress?, UInt16?)
            var name: String?
            for field in fields {
                guard let known = name else {
                    name = String(field)
                    continue
                }
                switch known {
                case "raddr": address = IPAddress(field)
                case "rport": port = ASCII.decimal(field.utf8).flatMap { UInt16(exactly: $0) }
                case "ufrag": fragment = String(field)
                default: break
                }
                name = nil
            }
            if let address, let port { relatedAddress = SocketAddress(address, port: port) }
        }
    }
}

extension Candidate: CustomStringConvertible {
    /// The value of `a=candidate`.
    public var description: String {
        var text = "\(foundation) \(component.rawValue) udp \(priority) \(address.address) \(address.port) typ \(kind.rawValue)"
        if let relatedAddress { text += " raddr \(relatedAddress.address) rport \(relatedAddress.port)" }
        if let fragment { text += " ufrag \(fragment)" }
        return text
    }
}
