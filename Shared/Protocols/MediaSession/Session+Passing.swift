public import Addresses
public import Deadlines
public import RTP

/// What a leg has of its own while packets go straight through it.
struct PassingState {
    var stream = PassedStream()
    var counts = PassingCounts()
    var gates = PassingGates()
    /// Packets go where the description says, wherever theirs come from.
    var isAsymmetric = false
    /// What the phone is sent comes from another phone in its own coding.
    var isDirect = false
    /// What is known of the runs that come from the phone, and of those that go there.
    var taken = RunTotals()
    var given = RunTotals()
}

/// What went through a leg, as it came from the phone.
public struct PassingCounts: Hashable, Sendable {
    public var packets = 0
    public var octets = 0
    public var errors = 0
    public var controlPackets = 0
    public var controlOctets = 0
    public var controlErrors = 0

    public init() {}
}

/// What of the phone's packets goes no further.
public struct PassingGates: Hashable, Sendable {
    public var blocksMedia = false
    public var blocksEvents = false
    /// Silence comes in place of sound.
    public var silencesMedia = false

    public init() {}

    var isOpen: Bool { !blocksMedia && !blocksEvents && !silencesMedia }

    /// What cannot be made silent is left out instead.
    func letThrough(_ meaning: ForwardingPlan.Meaning) -> Bool {
        switch meaning {
        case .event: !blocksEvents
        case .sound, .soundInALaw: !blocksMedia
        default: !blocksMedia && !silencesMedia
        }
    }
}

/// A packet of a phone that another leg is to have, or what became of it.
public enum PeerPacket: Hashable, Sendable {
    case header(Header)
    case dropped(Verdict)
}

// A packet that goes from the phone of one leg to that of another: the first judges it, the second makes it its own.
extension Session {
    public var passingCounts: PassingCounts { passing.counts }

    public var gates: PassingGates {
        get { passing.gates }
        set { passing.gates = newValue }
    }

    /// Whom packets are taken from, and where they go, beyond what was described.
    public mutating func believe(anySource: Bool, isAsymmetric: Bool) {
        latch.bearsSources = anySource
        passing.isAsymmetric = isAsymmetric
    }

    /// Where packets to the phone go.
    public var passingDestination: SocketAddress? { passing.isAsymmetric && !hasChecks ? plan?.remote : destination }

    public var isAsymmetric: Bool { passing.isAsymmetric }

    /// A packet of the phone for another leg.
    public mutating func takeForPeer(_ packet: Span<UInt8>, from source: SocketAddress, now: Instant) -> PeerPacket {
        guard let header = try? Header(parsing: packet) else {
            counts.malformed += 1
            passing.counts.errors += 1
            return .dropped(.malformed)
        }
        guard terms.isAgreed else {
            counts.held += 1
            return .dropped(.held)
        }
        guard admits(source, header.ssrc, now: now) else {
            counts.strangers += 1
            return .dropped(.stranger)
        }
        if terms.isSound {
            heard(header, isTimed: terms.isTimed(header.payloadType), clockRate: Int(terms.clockRate), now: now)
        } else {
            heardAt = now
            counts.outsideIn += 1
        }
        passing.counts.packets += 1
        passing.counts.octets += packet.count
        guard terms.receives, passing.gates.isOpen || passing.gates.letThrough(plan?.meaning(of: header.payloadType) ?? .unknown) else {
            counts.held += 1
            return .dropped(.held)
        }
        return .header(header)
    }

    /// Puts silence in place of the sound of a packet that was taken, if that is asked for.
    public func hush(_ header: Header, _ packet: inout MutableSpan<UInt8>) {
        guard passing.gates.silencesMedia, let meaning = plan?.meaning(of: header.payloadType) else { return }
        guard meaning == .sound || meaning == .soundInALaw, header.payloadRange.upperBound <= packet.count else { return }
        for place in header.payloadRange { packet[place] = meaning == .sound ? 0xff : 0xd5 }
    }

    /// The same for a packet that goes through the codecs: counted, and whether it goes on; what is not to be heard does not.
    public mutating func passesCodecs(_ packet: Span<UInt8>) -> Bool {
        passing.counts.packets += 1
        passing.counts.octets += packet.count
        guard !passing.gates.isOpen, let plan, let header = try? Header(parsing: packet) else { return true }
        guard plan.meaning(of: header.payloadType) == .event ? passing.gates.blocksEvents : passing.gates.blocksMedia || passing.gates.silencesMedia
        else { return true }
        counts.held += 1
        return false
    }

    /// Makes the packet of another leg one for this phone where it lies; its new length, or nil when it is not sent.
    ///
    /// It stays as it is. Only under keys, which know each number once, a source that begins anew goes on with other numbers.
    public mutating func makeOwn(_ header: Header, _ packet: inout MutableSpan<UInt8>, count: Int, now: Instant) -> Int? {
        guard terms.sends else {
            counts.held += 1
            return nil
        }
        guard transport != nil else {
            counts.outsideOut += 1
            return count
        }
        guard packet.count - count >= MediaTransport.overhead else {
            counts.malformed += 1
            return nil
        }
        if terms.isSound, let place = passing.stream.place(header, clockRate: Int(terms.clockRate), now: now) {
            Header.renumber(&packet, place.sequence, place.timestamp)
        }
        guard let length = transport?.protect(&packet, count: count) ?? nil else {
            counts.held += 1
            return nil
        }
        counts.outsideOut += 1
        return length
    }

    /// What the phone is sent comes from somebody else from now on.
    public mutating func switchSource() {
        outside.interrupt()
        outward = nil
    }

    /// Whether keys can be sent to the phone as events.
    public var sendsEvents: Bool { plan?.eventPayloadType != nil }

    // MARK: Control packets

    /// A control packet of the phone for another leg; false when it is none, or another's (V6).
    public mutating func takeControlForPeer(_ packet: Span<UInt8>, from source: SocketAddress, now: Instant, ntpTime: UInt64) -> Bool {
        // Who only listens sends no sound that the latch could know it by.
        let host = latch.locked?.address.address ?? plan?.remote?.address
        guard hasChecks || source.address == host else {
            counts.strangers += 1
            return false
        }
        guard (try? ControlPacket.parse(packet)) != nil else {
            counts.malformed += 1
            passing.counts.controlErrors += 1
            return false
        }
        if latch.locked != nil { controlPacket(packet, from: source, now: now, ntpTime: ntpTime) }
        heardAt = now
        control.source = source
        noteControl(octets: packet.count)
        return true
    }

    public mutating func noteControl(octets: Int) {
        passing.counts.controlPackets += 1
        passing.counts.controlOctets += octets
    }

    /// The same for the other side; nil when it is not sent. Control packets are rare: these may allocate.
    public mutating func makeOwnControl(_ packet: inout MutableSpan<UInt8>, count: Int) -> [UInt8]? {
        passing.stream.translate(&packet, count: count)
        var report: [UInt8] = []
        report.reserveCapacity(count)
        for index in 0..<min(count, packet.count) { report.append(packet[index]) }
        return sealed(control: report)
    }

    /// What the phone reports of a stream whose numbers were shifted on their way to it is told in the numbers of its source.
    public func retell(_ packet: inout MutableSpan<UInt8>, count: Int) { passing.stream.retell(&packet, count: count) }
}
