import Addresses
import Contracts
import MediaSession
import SDP

/// What a successor needs of a leg besides where its streams stand: deposited with the keeper whenever it changes, before anybody can
/// see that it has. It holds keys and passwords, and lies in the keeper's memory only.
struct LegRecord: Codable, Sendable {
    struct Creation: Codable, Sendable {
        var offer: String?
        var reply: CreateMediaSession.Reply
    }

    var id: String
    var customerID: String
    var callID: String
    var owner: String
    var epoch: UInt64
    var insideSSRC: UInt32
    var port: UInt16
    var exchange: OfferAnswer
    var proposals: [MediaProfile: OfferAnswer]
    /// The names of `CodecChoice`.
    var codecs: [String]?
    var canonicalName: String
    var creation: Creation?
    var remoteOrigin: Origin?
    var room: SocketAddress?
    /// The session that stands in the room's place.
    var peer: String?
    var blocksDigits: Bool
    var tellsKeys: Bool?
    /// Candidates without their answer.
    var fragments: [String]?
    var transports: Transports

    /// Of both ports.
    struct Transports: Hashable, Codable, Sendable {
        var rtp: MediaTransport.Record?
        var rtcp: MediaTransport.Record?

        var hasChecks: Bool { rtp?.hasChecks ?? false }
    }
}

/// A session that has ended: a delete is answered again, and its ports rest.
struct StoneRecord: Codable, Sendable {
    var epoch: UInt64
    var statistics: MediaStatistics
    var until: UInt64
}

extension Leg {
    var legRecord: LegRecord {
        LegRecord(
            id: id, customerID: customerID, callID: callID, owner: owner, epoch: epoch, insideSSRC: insideSSRC, port: port,
            exchange: exchange, proposals: proposals, codecs: codecs.names, canonicalName: canonicalName,
            creation: creation.map { .init(offer: $0.offer, reply: $0.reply) }, remoteOrigin: remoteOrigin, room: session.room, peer: peer?.id,
            blocksDigits: session.blocksDigits, tellsKeys: keys == nil ? nil : true, fragments: fragments.isEmpty ? nil : fragments,
            transports: transports)
    }

    var transports: LegRecord.Transports {
        LegRecord.Transports(rtp: session.transportRecord(), rtcp: session.controlTransportRecord())
    }
}
