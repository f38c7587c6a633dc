public import Addresses

/// A codec both sides carry, under the numbers each direction uses.
public struct AgreedFormat: Hashable, Sendable, Codable {
    public var codec: Codec
    /// On packets we send.
    public var sendingPayloadType: UInt8
    /// On packets we receive.
    public var receivingPayloadType: UInt8
    /// Their `a=fmtp`: what they wish to be sent.
    public var remoteParameters: String?

    public init(codec: Codec, sendingPayloadType: UInt8, receivingPayloadType: UInt8, remoteParameters: String? = nil) {
        (self.codec, self.sendingPayloadType, self.receivingPayloadType) = (codec, sendingPayloadType, receivingPayloadType)
        self.remoteParameters = remoteParameters
    }

    /// The same as it is meant of Opus (RFC 7587 §6.1); nil when this is another codec.
    public var remoteOpusParameters: OpusParameters? { codec.isOpus ? OpusParameters(FormatParameters(remoteParameters)) : nil }

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
    /// Milliseconds of sound they want in a packet (`packetTime(wished:longest:of:)`).
    public var packetTime: Int

    /// Where the keys come from.
    public var security: AgreedSecurity
    /// Theirs, where both sides speak ICE: `remote` is then a first guess at most.
    public var ice: Connectivity?
    /// Whether they take control packets, and which of the extended ones they asked for.
    public var takesReports = true
    public var extendedReports: ExtendedReports?

    /// The codec to send: the first that carries sound.
    public var codec: AgreedFormat? { formats.first(where: \.isSound) }

    /// What `a=ptime` and `a=maxptime` (RFC 8866 §6.4) come to: 20 ms unless they say otherwise. Of Opus browsers say the shortest, too:
    /// `minptime`, which drafts of RFC 7587 had.
    public static func packetTime(wished: Int?, longest: Int?, of formats: [AgreedFormat]) -> Int {
        let least = formats.first(where: \.isSound)?.remoteOpusParameters?.minimumPacketTime ?? 0
        return min(max(wished ?? 20, least), longest ?? .max)
    }

    /// Events run on the clock of the sound (RFC 4733 §2.1); some offer one clock for all.
    public var telephoneEvent: AgreedFormat? {
        let events = formats.filter(\.codec.isTelephoneEvent)
        return events.first { $0.codec.clockRate == codec?.codec.clockRate } ?? events.first
    }

    /// RTP and RTCP share a port (RFC 5761).
    public var multiplexesRTCP: Bool { remote == remoteControl }

    public init(
        remote: SocketAddress, remoteControl: SocketAddress, direction: Direction, formats: [AgreedFormat], packetTime: Int = 20,
        security: AgreedSecurity = .none, ice: Connectivity? = nil
    ) {
        (self.remote, self.remoteControl, self.direction) = (remote, remoteControl, direction)
        (self.formats, self.packetTime, self.security, self.ice) = (formats, packetTime, security, ice)
    }

    /// Nil when their description has no unicast address for that media.
    init?(
        remote description: SessionDescription, index: Int, formats: [AgreedFormat], wanted: Direction, security: AgreedSecurity,
        ice: Connectivity?
    ) {
        let media = description.media[index]
        let connection = description.connection(ofMedia: index)
        // With ICE the address may be missing still, or be a name that only candidates explain (RFC 8840 §4.1.1).
        guard let address = connection?.ipAddress ?? (ice == nil ? nil : .anyIPv4) else { return nil }
        var direction = wanted.intersection(description.direction(ofMedia: index).mirrored)
        // RFC 3264 §8.4: nothing may be sent to 0.0.0.0; with ICE it only means that the address will come.
        if ice == nil, connection?.isUnspecified ?? false { direction = Direction(sends: false, receives: direction.receives) }
        let remote = SocketAddress(address, port: media.port)
        var control = SocketAddress(address, port: media.port == .max ? media.port : media.port + 1)
        if let rtcp = media.rtcp { control = SocketAddress(rtcp.address ?? address, port: rtcp.port) }
        if media.multiplexesRTCP { control = remote }
        self.init(
            remote: remote, remoteControl: control, direction: direction, formats: formats,
            packetTime: Self.packetTime(wished: media.packetTime, longest: media.maximumPacketTime, of: formats), security: security, ice: ice)
        takesReports = !media.refusesReports
        extendedReports = description.extendedReports(ofMedia: index)
    }

    private enum CodingKeys: String, CodingKey {
        case remote, remoteControl, direction, formats, packetTime, security, ice, takesReports, extendedReports
    }

    /// What snapshots of earlier versions do not have is as they meant it.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            remote: try values.decode(SocketAddress.self, forKey: .remote),
            remoteControl: try values.decode(SocketAddress.self, forKey: .remoteControl),
            direction: try values.decode(Direction.self, forKey: .direction),
            formats: try values.decode([AgreedFormat].self, forKey: .formats),
            packetTime: try values.decode(Int.self, forKey: .packetTime),
            security: try values.decodeIfPresent(AgreedSecurity.self, forKey: .security) ?? AgreedSecurity.none,
            ice: try values.decodeIfPresent(Connectivity.self, forKey: .ice))
        takesReports = try values.decodeIfPresent(Bool.self, forKey: .takesReports) ?? true
        extendedReports = try values.decodeIfPresent(ExtendedReports.self, forKey: .extendedReports)
    }
}
