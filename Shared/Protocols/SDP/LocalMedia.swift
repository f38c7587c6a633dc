public import Addresses

/// What our side brings to a stream: where it listens and what it can carry.
public struct LocalMedia: Hashable, Sendable, Codable {
    /// RTP; RTCP is the next port (RFC 3550 §11) unless both share one.
    public var address: SocketAddress
    /// In order of preference.
    public var codecs: [Codec]
    /// Milliseconds of sound we want in a packet.
    public var packetTime: Int
    /// What an offer may name without protection of its own.
    public var transports: [String]
    /// Nil: plain RTP over `transports`.
    public var security: LocalSecurity?
    /// Nil: no ICE. An answer has it only where the offer had.
    public var ice: Connectivity?
    /// Our offers want RTP and RTCP on one port (RFC 5761 §5.1.1); an answer follows the offer.
    public var multiplexesRTCP: Bool
    /// Our offers put the stream into a bundle, with this identification tag (RFC 9143 §7.2); an answer follows the offer.
    public var mid: String?

    public init(
        address: SocketAddress, codecs: [Codec] = [.pcmu, .pcma, .telephoneEvent], packetTime: Int = 20,
        transports: [String] = ["RTP/AVP"], security: LocalSecurity? = nil, ice: Connectivity? = nil, multiplexesRTCP: Bool = false,
        mid: String? = nil
    ) {
        (self.address, self.codecs, self.packetTime, self.transports) = (address, codecs, packetTime, transports)
        (self.security, self.ice, self.multiplexesRTCP, self.mid) = (security, ice, multiplexesRTCP, mid)
    }

    /// What a browser is offered, and answered with: one port, a handshake, ICE, a bundle of one (RFC 8829 §5).
    public static func browser(
        address: SocketAddress, codecs: [Codec], fingerprint: Fingerprint, ice: Connectivity, packetTime: Int = 20
    ) -> LocalMedia {
        LocalMedia(
            address: address, codecs: codecs, packetTime: packetTime, transports: [],
            security: LocalSecurity(kinds: [.dtls], fingerprints: [fingerprint], hasFeedback: true), ice: ice, multiplexesRTCP: true,
            mid: "0")
    }

    private enum CodingKeys: String, CodingKey {
        case address, codecs, packetTime, transports, security, ice, multiplexesRTCP, mid
    }

    /// What snapshots of earlier versions do not have is as they meant it.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            address: try values.decode(SocketAddress.self, forKey: .address), codecs: try values.decode([Codec].self, forKey: .codecs),
            packetTime: try values.decode(Int.self, forKey: .packetTime),
            transports: try values.decode([String].self, forKey: .transports),
            security: try values.decodeIfPresent(LocalSecurity.self, forKey: .security),
            ice: try values.decodeIfPresent(Connectivity.self, forKey: .ice),
            multiplexesRTCP: try values.decodeIfPresent(Bool.self, forKey: .multiplexesRTCP) ?? false,
            mid: try values.decodeIfPresent(String.self, forKey: .mid))
    }
}
