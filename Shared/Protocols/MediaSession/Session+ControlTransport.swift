public import Addresses
public import Deadlines

// The port of RTCP where it is not shared with RTP: a path of its own (RFC 8445 §13) and an association of its own (RFC 5764 §4.1).
extension Session {
    var controlTransportDeadline: Instant? {
        switch controlTransport {
        case .some(let transport): transport.deadline
        case nil: nil
        }
    }

    /// Where checks have found that control packets go; nil when there are no checks, or none has found a way yet.
    var controlPath: SocketAddress? {
        switch controlTransport {
        case .some(let transport): transport.path
        case nil: nil
        }
    }

    var hasControlChecks: Bool {
        switch controlTransport {
        case .some(let transport): transport.hasChecks
        case nil: false
        }
    }

    /// What came to the port of RTCP of a leg that is not plain, with what it was.
    public mutating func openControl(
        _ datagram: inout MutableSpan<UInt8>, count: Int, from source: SocketAddress, now: Instant
    ) -> MediaTransport.Received {
        let received: MediaTransport.Received
        if controlTransport == nil {
            // Keys of the description serve both ports (RFC 4568 §6.1).
            received = transport?.receive(&datagram, count: count, from: source, now: now) ?? .dropped(.foreign)
        } else {
            received = controlTransport?.receive(&datagram, count: count, from: source, now: now) ?? .dropped(.foreign)
        }
        note(received)
        return received
    }

    mutating func sealedApart(control packet: [UInt8]) -> [UInt8]? {
        var bytes = packet + [UInt8](repeating: 0, count: MediaTransport.overhead)
        var span = bytes.mutableSpan
        guard let length = controlTransport?.protectControl(&span, count: packet.count) ?? nil else { return nil }
        return Array(bytes.prefix(length))
    }
}
