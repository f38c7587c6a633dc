import Addresses
import Contracts
import Datagrams
import Deadlines
import MediaSession
import SDP

/// One session on its media thread: who it belongs to, its ports, and its media.
final class Leg {
    let id: String
    let customerID: String
    let callID: String
    var owner: String
    /// The highest epoch a command carried; lower ones come from a former owner and are refused.
    var epoch: UInt64
    /// What the room writes into its packets for this session; also its name in the slot table.
    let insideSSRC: UInt32
    /// RTP; RTCP is the next one.
    let port: UInt16
    /// Nil only while it is opened anew, or when that failed.
    var rtp: OutsideSocket?
    let rtcp: OutsideSocket
    var exchange: OfferAnswer
    /// Our offers that nobody has answered yet, by what they are for.
    var proposals: [MediaProfile: OfferAnswer] = [:]
    var session: Session
    /// What its next descriptions may name.
    var codecs = CodecChoice.usual
    /// The owner knows that there is no path, or no keys.
    var hasToldFailure = false
    /// Random and made for this session (RFC 7022 §4.2).
    let canonicalName: String
    /// The command that made the session and its reply: repeated, it is answered again.
    var creation: (offer: String?, reply: CreateMediaSession.Reply)?
    /// The version of the phone's last description: the same one again changes nothing.
    var remoteOrigin: Origin?
    var silence: SilenceWatch
    var nextReportAt: Instant
    var nextSnapshotAt: Instant
    /// What copies its packets; nil while nobody wants them.
    var tap: Tap?
    /// When the transport is to be woken, if that has been asked for.
    var wakeAt = Instant.distantFuture

    init(
        _ command: CreateMediaSession, insideSSRC: UInt32, port: UInt16, sockets: (rtp: OutsideSocket, rtcp: OutsideSocket),
        exchange: OfferAnswer, session: consuming Session, canonicalName: String, silence: SilenceWatch, now: Instant
    ) {
        (id, customerID, callID) = (command.sessionID, command.customerID, command.callID)
        (owner, epoch) = (command.owner, command.epoch)
        (self.insideSSRC, self.port, rtp, rtcp) = (insideSSRC, port, sockets.rtp, sockets.rtcp)
        (self.exchange, self.canonicalName, self.silence) = (exchange, canonicalName, silence)
        self.session = session
        (nextReportAt, nextSnapshotAt) = (now + .seconds(2), now + .seconds(15))
    }

    var statistics: MediaStatistics { MediaStatistics(session.statistics, codec: session.plan?.codec) }

    func record(insideAddress: SocketAddress) -> SessionRecord {
        SessionRecord(
            id: id, customerID: customerID, callID: callID, owner: owner, epoch: epoch, port: port, insideAddress: insideAddress,
            insideSSRC: insideSSRC, exchange: exchange, proposals: proposals.isEmpty ? nil : proposals, streams: session.snapshot,
            codecs: codecs.names)
    }
}
