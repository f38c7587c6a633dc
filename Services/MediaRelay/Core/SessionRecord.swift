import Addresses
import Bytes
import Contracts
import Cryptography
import FoundationEssentials
import JSONCoding
import MediaSession
import SDP

/// The snapshot of a session, for whoever looks at it from outside; a successor on this machine goes on from `LegRecord` and the shelf.
struct SessionRecord: Codable, Sendable {
    static let kind = "relay_session"

    var id: String
    var customerID: String
    var callID: String
    /// The CallServer instance that is told about the session.
    var owner: String
    var epoch: UInt64
    /// RTP; RTCP is the next one.
    var port: UInt16
    var insideAddress: SocketAddress
    /// What the room writes into its packets for this session.
    var insideSSRC: UInt32
    var exchange: OfferAnswer
    /// Our first offers, while none of them is answered.
    var proposals: [MediaProfile: OfferAnswer]?
    var streams: SessionSnapshot
    /// The list its codecs are from; nil: the usual one.
    var codecs: [String]?
    /// Whether the room hears nothing of the phone's keys.
    var blocksDigits: Bool?
}

/// A record as it lies in Redis: what observers may read in clear, and keys and passwords (a=crypto, a=ice-pwd) for this cluster only.
struct StoredSession: Codable, Sendable {
    var id: String
    var customerID: String
    var callID: String
    var owner: String
    var epoch: UInt64
    var port: UInt16
    var insideAddress: SocketAddress
    var insideSSRC: UInt32
    var streams: SessionSnapshot
    var codecs: [String]?
    /// The exchange, sealed by AES-256-GCM for this id.
    var sealed: String

    /// `key`: 32 bytes; `nonce`: 12, never the same again.
    init(_ record: SessionRecord, key: [UInt8], nonce: [UInt8]) throws {
        (id, customerID, callID, owner, epoch) = (record.id, record.customerID, record.callID, record.owner, record.epoch)
        (port, insideAddress, insideSSRC) = (record.port, record.insideAddress, record.insideSSRC)
        (streams, codecs) = (record.streams, record.codecs)
        let exchange = try JSONText.encode(record.exchange)
        sealed = Base64.encode(try SealedBox.seal(exchange, key: key, nonce: nonce, context: Array(record.id.utf8)))
    }

    func exchange(key: [UInt8]) throws -> OfferAnswer {
        guard let box = Base64.decode(sealed.utf8) else { throw SealError.truncated }
        return try JSONText.decode(OfferAnswer.self, from: SealedBox.open(box, key: key, context: Array(id.utf8)))
    }
}
