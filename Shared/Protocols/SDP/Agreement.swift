public import Addresses

/// A codec both sides carry, under the numbers each direction uses.
public struct AgreedFormat: Hashable, Sendable, Codable {
    public var codec: Codec
    /// On packets we send.
    public var sendingPayloadType: UInt8
    /// On packets we receive.
    public var receivingPayloadType: UInt8

    public init(codec: Codec, sendingPayloadType: UInt8, receivingPayloadType: UInt8) {
        (self.codec, self.sendingPayloadType, self.receivingPayloadType) = (codec, sendingPayloadType, receivingPayloadType)
    }

    var isSound: Bool { !codec.isTelephoneEvent && !codec.isComfortNoise }
}

/// What an offer and its answer settled about the audio stream (RFC 3264), from our point of view.
public struct Agreement: Hashable, Sendable, Codable {
    /// Where they listen for RTP.
    public var remote: SocketAddress
    /// Where they listen for RTCP: `a=rtcp` (RFC 3605), the same port (RFC 5761) or the next one.
    public var remoteControl: SocketAddress
    public var direction: Direction
    /// In order of preference; at least one carries sound.
    public var formats: [AgreedFormat]
    /// Milliseconds of sound they want in a packet; 20 unless they said otherwise.
    public var packetTime: Int

    /// The codec to send: the first that carries sound.
    public var codec: AgreedFormat? { formats.first(where: \.isSound) }
    public var telephoneEvent: AgreedFormat? { formats.first { $0.codec.isTelephoneEvent } }

    public init(remote: SocketAddress, remoteControl: SocketAddress, direction: Direction, formats: [AgreedFormat], packetTime: Int = 20) {
        (self.remote, self.remoteControl, self.direction) = (remote, remoteControl, direction)
        (self.formats, self.packetTime) = (formats, packetTime)
    }

    /// Nil when their description has no unicast address for that media.
    init?(remote description: SessionDescription, index: Int, formats: [AgreedFormat], wanted: Direction) {
        let media = description.media[index]
        guard let connection = description.connection(ofMedia: index), let address = connection.ipAddress else { return nil }
        var direction = wanted.intersection(description.direction(ofMedia: index).mirrored)
        // RFC 3264 §8.4: nothing may be sent to 0.0.0.0.
        if connection.isUnspecified { direction = Direction(sends: false, receives: direction.receives) }
        let remote = SocketAddress(address, port: media.port)
        var control = SocketAddress(address, port: media.port == .max ? media.port : media.port + 1)
        if let rtcp = media.rtcp { control = SocketAddress(rtcp.address ?? address, port: rtcp.port) }
        if media.multiplexesRTCP { control = remote }
        self.init(
            remote: remote, remoteControl: control, direction: direction, formats: formats,
            packetTime: min(media.packetTime ?? 20, media.maximumPacketTime ?? .max))
    }
}
