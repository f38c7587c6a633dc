public import Addresses
internal import Audio
internal import Codecs
public import Deadlines
public import RTP

/// What became of a packet given to a session.
public enum Verdict: Hashable, Sendable {
    case forwarded
    /// Kept until more sound fills a packet of the other side.
    case collected
    case malformed
    case stranger
    case late
    case held
}

/// The media of one call leg between its phone and its room: a plan that signalling made, and the streams it feeds.
///
/// Outside is what was negotiated; inside is PCMU in 20 ms packets (payload type 0) and telephone events (101). A packet costs
/// no allocation, no lock and no lookup.
public struct Session: ~Copyable {
    /// Inside payload types are fixed: no signalling happens there.
    public static let insideEventPayloadType = PayloadType(101)

    private let pinned = Pinned()
    // What every packet touches stands first, close together (`HotMemory`).
    public internal(set) var plan: ForwardingPlan?
    /// Of the plan, what packets ask that go straight from leg to leg: these do not touch the plan itself.
    var terms = PassingTerms()
    /// When the phone last showed that it is there, or began to be expected.
    var heardAt: Instant
    var receiverSource: SSRC?
    var lostBefore = 0
    /// Where the room listens; nil while the leg is in none.
    public internal(set) var room: SocketAddress?
    /// What goes straight from leg to leg.
    var passing = PassingState()
    public internal(set) var latch = SourceLatch()
    var counts = SessionStatistics()
    var receiver = ReceiverStatistics()
    var inside: OutgoingStream
    var outside: OutgoingStream
    /// Nil: plain RTP.
    public var transport: MediaTransport?
    /// The two directions of a leg whose codec is not G.711; made with its first packets.
    var inward: TranscodingStream?
    var inwardCoding: Coding?
    var outward: TranscodingStream?
    let inwardTable = G711.ulawFromAlaw
    let silence = Session.silentTable
    private static let silentTable = [UInt8](repeating: G711.Law.ulaw.silence, count: 256)
    var digits = InwardDigits()
    /// Of a phone that sends no events.
    var ear: ToneEar?
    /// For a phone that takes none.
    var voice: ToneVoice?
    var keyTimestamp = Timestamp(0)
    var pauses = PauseSender()
    var control = ControlState()
    let settings: SessionSettings
    /// Of the port of RTCP, where that has checks or a handshake of its own.
    public var controlTransport: MediaTransport?

    /// `random` gives the unguessable first values RFC 3550 §5.1 and §8.1 ask for.
    public init(random: (UInt64, UInt64), now: Instant, settings: SessionSettings = SessionSettings()) {
        self.settings = settings
        let (first, second) = random
        // Half of the numbers: who gets keys late must not have missed that they began again (RFC 3711 §3.3.1).
        outside = OutgoingStream(
            ssrc: SSRC(UInt32(truncatingIfNeeded: first)), sequence: SequenceNumber(UInt16(truncatingIfNeeded: first >> 32) & 0x7fff),
            timestamp: Timestamp(UInt32(truncatingIfNeeded: second)))
        inside = OutgoingStream(
            ssrc: SSRC(0), sequence: SequenceNumber(UInt16(truncatingIfNeeded: first >> 48)),
            timestamp: Timestamp(UInt32(truncatingIfNeeded: second >> 32)))
        heardAt = now
    }

    /// Our SSRC towards the phone.
    public var ssrc: SSRC { outside.ssrc }

    // MARK: Signalling

    /// A new offer/answer took effect; the source of the phone's packets may be learned anew.
    public mutating func apply(_ plan: ForwardingPlan, now: Instant) {
        latch.arm(path ?? plan.remote)
        outside.repacketise(plan.packetSamples)
        outside.clockRate = plan.clockRate
        let isAnew = plan.coding != self.plan?.coding || plan.packetSamples != self.plan?.packetSamples
        if isAnew {
            inward = nil
            inside.interrupt()
        }
        if isAnew || self.plan.map({ settings.opus.meeting($0.wishes) }) != settings.opus.meeting(plan.wishes) {
            outward = nil
            outside.interrupt()
        }
        if !plan.sends || self.plan?.sends == false { outside.interrupt() }
        if !plan.receives || self.plan?.receives == false { inside.interrupt() }
        (self.plan, terms) = (plan, PassingTerms(plan))
        heardAt = now
        digits.interrupt()
        listen()
    }

    /// The leg moves to another room, or to none: packets are taken from there and sent there under that SSRC.
    public mutating func link(to room: SocketAddress?, ssrc: SSRC) {
        guard room != self.room || ssrc != inside.ssrc else { return }
        self.room = room
        inside.ssrc = ssrc
        inside.interrupt()
        outside.interrupt()
        // Another room's sound begins anew.
        outward = nil
    }

    /// Where packets to the phone go: the path that checks have found, else the latched source, else the signalled address.
    public var destination: SocketAddress? {
        switch transport {
        case .some(let transport) where transport.hasChecks: transport.path
        default: latch.address ?? plan?.remote
        }
    }

    /// How long nothing has come from the phone although it ought to send; nil while it need not.
    public func silence(now: Instant) -> Interval? {
        guard let plan, plan.receives else { return nil }
        return now - heardAt
    }

    /// The same, whether it need send or not.
    public func quiet(now: Instant) -> Interval { now - heardAt }

    // MARK: Packets

    /// A packet of the phone becomes packets for the room in `buffer`.
    public mutating func outsidePacket(
        _ packet: Span<UInt8>, from source: SocketAddress, now: Instant, into buffer: inout PacketBuffer
    ) -> Verdict {
        guard let header = try? Header(parsing: packet) else {
            counts.malformed += 1
            return .malformed
        }
        guard let plan else {
            counts.held += 1
            return .held
        }
        let meaning = plan.meaning(of: header.payloadType)
        let length = header.payloadRange.count
        let isUsable =
            switch meaning {
            case .event: length == TelephoneEvent.length
            case .coded, .comfortNoise: length > 0 && length <= Coding.largestPayload
            default: length > 0 && length <= inside.maximumPayload
            }
        guard meaning != .unknown, isUsable else {
            if latch.locked == SourceLatch.Source(address: source, ssrc: header.ssrc) { passOver(header, now: now) }
            counts.malformed += 1
            return .malformed
        }
        guard admits(source, header.ssrc, now: now) else {
            counts.strangers += 1
            return .stranger
        }
        heard(header, isTimed: plan.isTimed(meaning), clockRate: plan.clockRate, now: now)
        guard plan.receives, room != nil else {
            inside.interrupt()
            counts.held += 1
            return .held
        }
        let before = buffer.count
        let isTaken =
            switch meaning {
            case .coded, .comfortNoise: transcodeInward(header, packet, meaning, plan, now: now, into: &buffer)
            case .event: eventInward(header, packet, plan, now: now, into: &buffer)
            case _ where inward != nil: transcodeInward(header, packet, meaning, plan, now: now, into: &buffer)
            default: soundInward(header, packet, meaning == .soundInALaw ? .alaw : .ulaw, now: now, into: &buffer)
            }
        counts.insideOut += buffer.count - before
        return verdict(isTaken, produced: buffer.count - before)
    }

    /// A packet of the room becomes packets for the phone in `buffer`, to be sent to `destination`.
    public mutating func insidePacket(
        _ packet: Span<UInt8>, from source: SocketAddress, now: Instant, into buffer: inout PacketBuffer
    ) -> Verdict {
        guard source == room else {
            counts.strangers += 1
            return .stranger
        }
        guard let header = try? Header(parsing: packet), !header.payloadRange.isEmpty,
            header.payloadRange.count <= (plan?.coding == nil ? outside.maximumPayload : Coding.largestPayload)
        else {
            counts.malformed += 1
            return .malformed
        }
        counts.insideIn += 1
        guard let plan, plan.sends else {
            outside.interrupt()
            counts.held += 1
            return .held
        }
        let before = buffer.count
        let isTaken: Bool
        switch header.payloadType {
        case .pcmu where voice?.covers(header.timestamp, now: now) == true: isTaken = passOverOutward(header, plan, now: now, into: &buffer)
        case .pcmu where plan.coding != nil:
            isTaken = transcodeOutward(header, packet.extracting(header.payloadRange), plan, now: now, into: &buffer)
        case .pcmu:
            isTaken = soundOutward(header, packet, plan, now: now, into: &buffer)
        case Self.insideEventPayloadType where header.payloadRange.count == TelephoneEvent.length:
            guard let payloadType = plan.eventPayloadType else {
                isTaken = toneOutward(header, packet, plan, now: now, into: &buffer)
                break
            }
            isTaken =
                plan.coding == nil
                ? outside.event(header, packet, as: payloadType, now: now, into: &buffer)
                : eventOutward(header, packet, plan, as: payloadType, now: now, into: &buffer)
        default:
            counts.malformed += 1
            return .malformed
        }
        counts.outsideOut += buffer.count - before
        return verdict(isTaken, produced: buffer.count - before)
    }

    /// A packet that came through a transport has proved whose it is.
    mutating func admits(_ source: SocketAddress, _ ssrc: SSRC, now: Instant) -> Bool {
        guard transport != nil else { return latch.admits(source, ssrc, now: now) }
        return latch.follow(source, ssrc, isOnPath: hasChecks, now: now)
    }

    private mutating func verdict(_ isTaken: Bool, produced: Int) -> Verdict {
        guard isTaken else {
            counts.late += 1
            return .late
        }
        return produced > 0 ? .forwarded : .collected
    }

    // MARK: Statistics

    /// What nobody agreed on: not forwarded, but part of the phone's stream and a sign of life.
    private mutating func passOver(_ header: Header, now: Instant) {
        inside.skip(header)
        heardAt = now
        receiver.receive(header, isTimed: false, now: now)
    }

    mutating func heard(_ header: Header, isTimed: Bool, clockRate: Int, now: Instant) {
        heardAt = now
        counts.outsideIn += 1
        if receiverSource != header.ssrc || receiver.clockRate != clockRate {
            lostBefore += max(0, receiver.lost)
            if receiverSource != header.ssrc {
                inside.interrupt()
                digits.restart()
            }
            (receiver, receiverSource) = (ReceiverStatistics(clockRate: clockRate), header.ssrc)
            control.saidGoodbye = false
        }
        receiver.receive(header, isTimed: isTimed, now: now)
    }

    /// The state that lets another process go on with the same streams.
    public var snapshot: SessionSnapshot {
        SessionSnapshot(
            outsideSSRC: outside.ssrc, outsideSequence: outside.sequence, outsideTimestamp: outside.timestamp,
            insideSSRC: inside.ssrc, insideSequence: inside.sequence, insideTimestamp: inside.timestamp, room: room,
            phone: latch.locked?.address, phoneSSRC: latch.locked?.ssrc)
    }
}
