import Addresses
import Contracts
import Datagrams
import Deadlines
import MediaSession
import RTP
import SDP

/// One session on its media thread: who it belongs to, its ports, and its media.
final class Leg {
    // What every packet touches stands first, close together.
    /// What the room writes into its packets for this session; also its name in the slot table.
    let insideSSRC: UInt32
    /// RTP; RTCP is the next one.
    let port: UInt16
    /// Nil only while it is opened anew, or when that failed.
    var rtp: OutsideSocket?
    /// RTP at the same port of the other family, while checks may find a way there.
    var second: OutsideSocket?
    /// What copies its packets; nil while nobody wants them.
    var tap: Tap?
    /// The leg whose phone this one's is connected with, without a room between them.
    var peer: Leg?
    /// Whether its phone's packets come here at all.
    var fast = FastStream()
    /// When a successor is to know again what was counted.
    var nextTallyAt = Instant(nanoseconds: 0)
    /// What the phone is sent in place of what its peer says.
    var player: Player?
    var session: Session
    /// Its keys, of which no room tells the owner: its inside is another session's. Nil: a room hears them.
    var keys: EventReceiver?
    /// Pressed and not told yet.
    var pressedKeys: [TelephoneEvent] = []

    let id: String
    let customerID: String
    let callID: String
    var owner: String
    /// The highest epoch a command carried; lower ones come from a former owner and are refused.
    var epoch: UInt64
    /// At the port above that of RTP.
    var rtcp: OutsideSocket
    /// Where its phone is met.
    var place: Place
    var exchange: OfferAnswer
    /// Our offers that nobody has answered yet, by what they are for.
    var proposals: [MediaProfile: OfferAnswer] = [:]
    /// What its next descriptions may name.
    var codecs = CodecChoice.usual
    /// The owner knows that there is no path, or no keys.
    var hasToldFailure = false
    /// Random and made for this session (RFC 7022 §4.2).
    let canonicalName: String
    /// The command that made the session and its reply: repeated, it is answered again.
    var creation: (offer: String?, reply: CreateMediaSession.Reply)?
    var presses = RecentNames()
    /// Candidates that are here before the answer they belong to (RFC 8840).
    var fragments: [String] = []
    /// The version of the phone's last description: the same one again changes nothing.
    var remoteOrigin: Origin?
    var silence: SilenceWatch
    var nextReportAt: Instant
    var nextSnapshotAt: Instant
    /// The transports as they were deposited last.
    var kept: LegRecord.Transports?
    /// When the transport is to be woken, if that has been asked for.
    var wakeAt = Instant.distantFuture
    /// How routers are to treat its packets; nil: as all others.
    var dscp: Int?
    /// It was asked for over `ng`: nobody on the bus owns it.
    var isOfNG = false
    /// What wakes its player.
    var waking: (() -> Void)?

    init(
        _ command: CreateMediaSession, insideSSRC: UInt32, port: UInt16, sockets: (rtp: OutsideSocket, rtcp: OutsideSocket),
        exchange: OfferAnswer, place: Place, session: consuming Session, canonicalName: String, silence: SilenceWatch, now: Instant
    ) {
        (id, customerID, callID) = (command.sessionID, command.customerID, command.callID)
        (owner, epoch) = (command.owner, command.epoch)
        (self.insideSSRC, self.port, rtp, rtcp) = (insideSSRC, port, sockets.rtp, sockets.rtcp)
        (self.exchange, self.canonicalName, self.silence) = (exchange, canonicalName, silence)
        self.place = place
        self.session = session
        (nextReportAt, nextSnapshotAt) = (now + .seconds(2), now + .seconds(15))
    }

    /// A leg that another process began.
    init(
        _ record: LegRecord, at place: Place, sockets: (rtp: OutsideSocket, rtcp: OutsideSocket), session: consuming Session,
        silence: SilenceWatch, now: Instant
    ) {
        (id, customerID, callID, owner, epoch) = (record.id, record.customerID, record.callID, record.owner, record.epoch)
        (insideSSRC, port, rtp, rtcp) = (record.insideSSRC, record.port, sockets.rtp, sockets.rtcp)
        (exchange, canonicalName, self.silence) = (record.exchange, record.canonicalName, silence)
        self.place = place
        proposals = record.proposals
        codecs = record.codecs.flatMap { CodecChoice(names: $0) } ?? .usual
        (creation, remoteOrigin) = (record.creation.map { ($0.offer, $0.reply) }, record.remoteOrigin)
        self.session = session
        self.session.blocksDigits = record.blocksDigits
        fragments = record.fragments ?? []
        if record.tellsKeys == true { keys = EventReceiver() }
        (nextReportAt, nextSnapshotAt) = (now + .seconds(2), now + .seconds(15))
    }

    var isConnected: Bool { rtp?.isConnected ?? false }

    /// Reads one datagram of the phone; false when there was none.
    func receive(into batch: inout ReceiveBatch, isSecond: Bool) -> Bool {
        guard let socket = isSecond ? second : rtp else { return false }
        return unsafe Unmanaged.passUnretained(socket)._withUnsafeGuaranteedRef { $0.receive(into: &batch, from: session.latch.locked?.address) }
    }

    /// Sends over the socket that reaches that address.
    func send(_ packet: Span<UInt8>, to peer: SocketAddress) -> SendOutcome? {
        guard let socket = second == nil ? rtp : socket(to: peer) else { return nil }
        return unsafe Unmanaged.passUnretained(socket)._withUnsafeGuaranteedRef { $0.send(packet, to: peer) }
    }

    /// The socket that reaches that address.
    func socket(to peer: SocketAddress) -> OutsideSocket? {
        guard let second, peer.address.isIPv4 != place.isIPv4 else { return rtp }
        return second
    }

    func mark(_ dscp: Int?, usually usual: Int) {
        self.dscp = dscp
        for socket in [rtp, rtcp, second] { socket?.mark(dscp ?? usual) }
    }

    var statistics: MediaStatistics { MediaStatistics(session.statistics, codec: session.plan?.codec) }

    func record(insideAddress: SocketAddress) -> SessionRecord {
        SessionRecord(
            id: id, customerID: customerID, callID: callID, owner: owner, epoch: epoch, port: port, insideAddress: insideAddress,
            insideSSRC: insideSSRC, exchange: exchange, proposals: proposals.isEmpty ? nil : proposals, streams: session.snapshot,
            codecs: codecs.names, blocksDigits: session.blocksDigits ? true : nil)
    }
}
