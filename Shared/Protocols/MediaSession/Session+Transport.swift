public import Addresses
public import Deadlines

extension Session {
    public var transportDeadline: Instant? {
        let own: Instant?
        switch transport {
        case .some(let transport): own = transport.deadline
        case nil: own = nil
        }
        guard let control = controlTransportDeadline else { return own }
        return min(control, own ?? control)
    }

    /// Whether the way to the phone is found by checks.
    public var hasChecks: Bool {
        switch transport {
        case .some(let transport): transport.hasChecks
        case nil: false
        }
    }

    var path: SocketAddress? {
        switch transport {
        case .some(let transport): transport.path
        case nil: nil
        }
    }

    private func isOnPath(_ source: SocketAddress) -> Bool {
        switch transport {
        case .some(let transport): transport.isReady && transport.isOnPath(source)
        case nil: false
        }
    }

    /// What came to the port of a leg that is not plain, with what it was.
    public mutating func open(
        _ datagram: inout MutableSpan<UInt8>, count: Int, from source: SocketAddress, now: Instant
    ) -> MediaTransport.Received {
        guard let received = transport?.receive(&datagram, count: count, from: source, now: now) else { return .dropped(.foreign) }
        if received == .consumed, isOnPath(source) { heardAt = now }
        note(received)
        return received
    }

    mutating func note(_ received: MediaTransport.Received) {
        switch received {
        case .dropped(.stranger): counts.strangers += 1
        case .dropped(.malformed), .dropped(.foreign): counts.malformed += 1
        case .dropped(.unauthentic), .dropped(.replayed): counts.unauthentic += 1
        case .dropped(.unkeyed): counts.held += 1
        case .sound, .control, .consumed: break
        }
    }

    /// Protects a packet for the phone where it lies; false when it cannot be sent (yet).
    public mutating func seal(_ packets: inout PacketBuffer, _ index: Int) -> Bool {
        guard transport != nil else { return true }
        let isSealed = packets.rewrite(index) { packet, count in transport?.protect(&packet, count: count) ?? nil }
        if !isSealed { counts.held += 1 }
        return isSealed
    }

    /// The same for a control packet; nil when it cannot be sent.
    public mutating func sealed(control packet: [UInt8]) -> [UInt8]? {
        guard transport != nil else { return packet }
        if controlTransport != nil { return sealedApart(control: packet) }
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        guard let length = transport?.protectControl(&span, count: packet.count) ?? nil else { return nil }
        return Array(bytes.prefix(length))
    }

    /// Checks have chosen a way: what is sent goes there, and nothing is learned from elsewhere.
    public mutating func follow(_ event: MediaTransport.Event) {
        if case .path(let address) = event { latch.arm(address) }
    }
}
