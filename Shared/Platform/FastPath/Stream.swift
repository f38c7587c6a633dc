public import Addresses
internal import CLinux
public import Deadlines

extension FastPath {
    /// Whose packets, and to which of our ports.
    public struct Way: Hashable, Sendable {
        public let source: SocketAddress
        public let destination: SocketAddress

        public init(from source: SocketAddress, to destination: SocketAddress) { (self.source, self.destination) = (source, destination) }

        /// Nil: not IPv4.
        var key: tandem_flow_key? {
            guard let from = source.address.v4, let to = destination.address.v4 else { return nil }
            return tandem_flow_key(
                source: from.bigEndian, destination: to.bigEndian, source_port: source.port.bigEndian, destination_port: destination.port.bigEndian)
        }
    }

    /// What is taken of a stream, and what becomes of it.
    public struct Stream: Hashable, Sendable {
        /// Of ours, and whom it is for.
        public var source: SocketAddress
        public var destination: SocketAddress
        public var route: Routes.Route
        public var ssrc: UInt32
        public var payloadType: UInt8
        public var clockRate: Int
        /// Its new ones, and what is added to the numbers of each packet.
        public var newSSRC: UInt32
        public var newPayloadType: UInt8
        public var sequenceShift: UInt16 = 0
        public var timestampShift: UInt32 = 0
        /// Of packets, with their header; nil: any.
        public var length: Int?
        /// How far timestamps may advance from packet to packet.
        public var timestampGap = UInt32.max
        /// The packet that is to come next, and what the last one said.
        public var nextSequence: UInt16
        public var timestamp: UInt32
        public var arrivedAt: Instant
        /// In nanoseconds, as `Progress` tells it.
        public var jitter: UInt64
        /// How routers are to treat it (RFC 2474).
        public var dscp: Int

        public init(
            source: SocketAddress, destination: SocketAddress, route: Routes.Route, ssrc: UInt32, payloadType: UInt8, clockRate: Int,
            nextSequence: UInt16, timestamp: UInt32, arrivedAt: Instant, jitter: UInt64, dscp: Int
        ) {
            (self.source, self.destination, self.route) = (source, destination, route)
            (self.ssrc, self.payloadType, self.clockRate) = (ssrc, payloadType, clockRate)
            (newSSRC, newPayloadType) = (ssrc, payloadType)
            (self.nextSequence, self.timestamp, self.arrivedAt, self.jitter, self.dscp) = (nextSequence, timestamp, arrivedAt, jitter, dscp)
        }

        /// Nil: not IPv4.
        var flow: tandem_flow? {
            guard let from = source.address.v4, let to = destination.address.v4, clockRate > 0 else { return nil }
            var flow = tandem_flow()
            (flow.source, flow.destination) = (from.bigEndian, to.bigEndian)
            (flow.source_port, flow.destination_port) = (source.port.bigEndian, destination.port.bigEndian)
            (flow.ssrc, flow.new_ssrc) = (ssrc.bigEndian, newSSRC.bigEndian)
            (flow.payload_type, flow.new_payload_type) = (payloadType, newPayloadType)
            (flow.sequence_shift, flow.timestamp_shift) = (sequenceShift, timestampShift)
            (flow.length, flow.timestamp_gap) = (UInt16(clamping: length ?? 0), timestampGap)
            (flow.interface, flow.is_local) = (route.interface, route.isLocal ? 1 : 0)
            flow.tick = UInt32(clamping: 1_000_000_000 / clockRate)
            (flow.next_sequence, flow.first_sequence, flow.timestamp) = (nextSequence, nextSequence, timestamp)
            (flow.arrived, flow.jitter) = (arrivedAt.nanoseconds, jitter)
            flow.service = UInt8(truncatingIfNeeded: max(0, min(63, dscp)) << 2)
            flow.priority = Self.priorities[Int(flow.service & 0x1e) >> 3]
            return flow
        }

        /// What a socket with that mark has in the queues of this machine (ip(7), tc-prio(8)): best effort, bulk, interactive, interactive bulk.
        private static let priorities: [UInt32] = [0, 2, 6, 4]
    }

    /// What the kernel has forwarded of a stream since it began.
    public struct Progress: Hashable, Sendable {
        public let packets: Int
        /// Of RTP, header and payload.
        public let octets: Int
        /// Of the last packet.
        public let sequence: UInt16
        public let timestamp: UInt32
        public let arrivedAt: Instant
        /// Sixteen times the mean deviation of transit times, in nanoseconds (RFC 3550 A.8).
        public let jitter: UInt64

        init(_ flow: tandem_flow) {
            (packets, octets) = (Int(clamping: flow.packets), Int(clamping: flow.octets))
            // The kernel may be at the next packet while this is read: one word says how far it has come.
            sequence = flow.first_sequence &+ UInt16(truncatingIfNeeded: flow.packets) &- 1
            timestamp = flow.timestamp
            (arrivedAt, jitter) = (Instant(nanoseconds: flow.arrived), flow.jitter)
        }
    }
}
