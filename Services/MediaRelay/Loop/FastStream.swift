import FastPath
import RTP

/// Whether the packets of a leg's phone go by the fast path, and, while they do not, how regular they are.
struct FastStream {
    /// So many packets in a row tell that a stream goes on so.
    private static let trust: UInt16 = 8
    /// A stream that did not keep what it promised is asked for more, up to this.
    private static let mostTrust: UInt16 = 1024
    /// One that kept it for a second is believed again with its next packet: a lost one does not make it less regular.
    private static let proof = 50

    /// While it goes by the fast path.
    private(set) var passage: FastPath.Passage?
    private(set) var route: Routes.Route?
    private var isTimed = true
    private var carried = 0

    private var ssrc = SSRC(0)
    private var payloadType = PayloadType(0)
    private var next = SequenceNumber(0)
    private var regular: UInt16 = 0
    private var wanted = FastStream.trust

    /// A packet went through our hands; whether the ones that follow need not.
    mutating func sees(_ header: Header, length: Int) -> Bool {
        let isPlain = header.payloadRange.lowerBound == Header.length && header.payloadRange.upperBound == length
        let follows = header.ssrc == ssrc && header.payloadType == payloadType && header.sequence == next
        regular = !isPlain ? 0 : follows ? min(regular + 1, Self.mostTrust) : 1
        (ssrc, payloadType, next) = (header.ssrc, header.payloadType, header.sequence.advanced(by: 1))
        return regular >= wanted
    }

    /// It cannot be, for now.
    mutating func refuse() {
        regular = 0
        wanted = min(wanted * 2, Self.mostTrust)
    }

    mutating func begin(_ passage: FastPath.Passage, _ route: Routes.Route, isTimed: Bool) {
        (self.passage, self.route, self.isTimed) = (passage, route, isTimed)
        (carried, regular) = (0, 0)
    }

    /// All that it carried since it began.
    mutating func run(_ progress: FastPath.Progress) -> PacketRun {
        carried = progress.packets
        return PacketRun(progress, isTimed: isTimed)
    }

    /// Its packets come to us again, because one of them was not as expected.
    mutating func breakOff() {
        (passage, regular) = (nil, 0)
        wanted = carried >= Self.proof ? 1 : min(wanted * 2, Self.mostTrust)
    }

    /// Its packets come to us again, because somebody wants something: what could not be may be possible afterwards.
    mutating func end() { (passage, regular, wanted) = (nil, 0, Self.trust) }
}

extension PacketRun {
    init(_ progress: FastPath.Progress, isTimed: Bool) {
        self.init(
            packets: progress.packets, octets: progress.octets, sequence: SequenceNumber(progress.sequence),
            timestamp: Timestamp(progress.timestamp), arrivedAt: progress.arrivedAt, jitter: isTimed ? progress.jitter : nil)
    }
}
