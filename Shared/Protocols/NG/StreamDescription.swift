public import Addresses
public import SDP

/// What a description says of one of its streams.
public struct StreamDescription: Hashable, Sendable {
    /// `audio` or `video`.
    public var kind: String
    /// Its identification tag (RFC 5888 §4).
    public var mid: String?
    public var transport: String
    public var profile: Profile
    /// Where they listen.
    public var remote: SocketAddress
    /// For RTCP, where both do not share a port.
    public var control: SocketAddress
    public var direction: Direction
    public var formats: [Format]
    public var packetTime: Int?
    public var maximumPacketTime: Int?
    public var multiplexes: Bool
    /// Values of `a=crypto`.
    public var crypto: [String]
    public var fingerprints: [Fingerprint]
    public var setup: Setup?
    public var tlsID: String?
    public var ice: Connectivity?

    public enum Mistake: Error, Hashable, Sendable {
        /// Neither an address nor candidates.
        case noAddress
    }

    /// Nil for a stream that is refused, gone, or not carried here: it gets port zero (RFC 3264 §6).
    public init?(_ description: SessionDescription, _ index: Int, _ options: Options = Options()) throws(Mistake) {
        let media = description.media[index]
        guard media.port != 0, media.kind == "audio" || media.kind == "video", let profile = media.profile else { return nil }
        let connection = description.connection(ofMedia: index)
        let ice = description.connectivity(ofMedia: index)
        guard var address = connection?.ipAddress ?? (ice == nil ? nil : .anyIPv4) else { throw .noAddress }
        if options.usesSourceAddress, let source = options.receivedFrom { address = source }
        (kind, mid, transport, self.profile, self.ice) = (media.kind, media.mid, media.transport, profile, ice)
        remote = SocketAddress(address, port: media.port)
        multiplexes = media.multiplexesRTCP
        if let rtcp = media.rtcp, rtcp.port != media.port {
            control = SocketAddress(options.usesSourceAddress ? address : rtcp.address ?? address, port: rtcp.port)
        } else {
            control = SocketAddress(address, port: media.port == .max ? media.port : media.port + 1)
        }
        let direction = description.direction(ofMedia: index)
        // RFC 3264 §8.4: nothing may be sent to 0.0.0.0; with ICE it only means that the address will come.
        let isHeld = ice == nil && connection?.isUnspecified ?? false
        self.direction = isHeld ? Direction(sends: direction.sends, receives: false) : direction
        (formats, packetTime, maximumPacketTime) = (media.payloadFormats, media.packetTime, media.maximumPacketTime)
        crypto = media.crypto
        (fingerprints, setup) = (description.fingerprints(ofMedia: index), description.setup(ofMedia: index))
        tlsID = description.tlsID(ofMedia: index)
    }

    /// The first that carries sound.
    public var codec: Codec? { formats.first { !$0.codec.isTelephoneEvent && !$0.codec.isComfortNoise }?.codec }
}

/// What stands in its place in the description that is passed on.
public struct LocalStream: Hashable, Sendable {
    /// RTP; RTCP is the next port unless both share one.
    public var address: SocketAddress
    public var transport: String
    public var crypto: [String] = []
    public var fingerprints: [Fingerprint] = []
    public var setup: Setup?
    public var tlsID: String?
    public var ice: Connectivity?
    public var multiplexes = false
    /// No other port is named.
    public var requiresMultiplexing = false
    /// Nil: as they are.
    public var formats: [Format]?
    public var packetTime: Int?
    /// Packets keep their sources, so what is said of these stays true.
    public var keepsSources = true

    public init(address: SocketAddress, transport: String) { (self.address, self.transport) = (address, transport) }
}
