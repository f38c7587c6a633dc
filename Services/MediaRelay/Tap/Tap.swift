import Addresses
import Deadlines
import ICE
import Telemetry
import Threads

/// What copies the packets of one leg for a recording, a capture, or both, while somebody wants them. On the media thread only: what
/// is copied goes to the writing thread through a ring that never makes anybody wait.
final class Tap {
    enum Kind: UInt64 { case said, heard, arrived, left }

    /// How much of the way through its protection a datagram has come.
    enum Stage {
        /// As on the wire, of a leg that is protected.
        case sealed
        /// Without protection that it has on the wire.
        case opened
        /// It has none.
        case plain
    }

    struct Use {
        /// What the command calls it.
        let name: String
        /// What the ring calls it.
        let id: UInt32
        var dropped = 0
        var isPlain = false
    }

    private static let dropped = Counter("tandem_relay_tap_dropped_packets_total", "Packets that a recording or capture lacks: their ring was full.")

    private let ring: RecordRing
    var recording: Use?
    var capture: Use?
    /// Of a call over `ng`: what its phone sends is recorded as it comes, and for which side of the recording.
    var formats: SoundFormats?
    var side = Kind.said
    /// Nothing is copied for now.
    var isPaused = false

    init(_ ring: RecordRing) { self.ring = ring }

    var isIdle: Bool { recording == nil && capture == nil }

    /// A packet of the inside that the phone sent (`said`), or that it is sent (`heard`).
    func sound(_ packet: Span<UInt8>, _ kind: Kind, now: Instant) {
        guard let use = recording else { return }
        let head: RecordRing.Head = [UInt64(use.id) << 32 | kind.rawValue, now.nanoseconds, 0, 0, 0, 0]
        if !ring.append(head, packet) {
            recording?.dropped += 1
            Self.dropped.add()
        }
    }

    /// A packet of the phone in its own coding.
    func spoken(_ packet: Span<UInt8>, now: Instant) {
        guard let use = recording, !isPaused, let number = formats?.number(of: packet), number != SoundFormats.none else { return }
        let head: RecordRing.Head = [UInt64(use.id) << 32 | side.rawValue, now.nanoseconds, 0, 0, 0, UInt64(number)]
        if !ring.append(head, packet) {
            recording?.dropped += 1
            Self.dropped.add()
        }
    }

    func datagram(_ bytes: Span<UInt8>, _ kind: Kind, _ stage: Stage, peer: SocketAddress, port: UInt16, now: Instant) {
        guard let use = capture, !isPaused else { return }
        switch stage {
        case .plain: break
        case .opened: guard use.isPlain else { return }
        case .sealed:
            guard use.isPlain else { break }
            let content = Multiplexed(bytes)
            guard content != .rtp, content != .rtcp else { return }
        }
        let ports = UInt64(peer.port) << 16 | UInt64(port)
        let head: RecordRing.Head = [
            UInt64(use.id) << 32 | kind.rawValue, now.nanoseconds, ports, peer.address.high, peer.address.low, 0,
        ]
        if !ring.append(head, bytes) {
            capture?.dropped += 1
            Self.dropped.add()
        }
    }
}
