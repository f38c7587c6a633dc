public import Addresses
public import Deadlines
public import RTP

/// Where a session's streams stand, as plain memory: written after every packet, and before what it became is sent, into memory that
/// outlives the process.
public struct SessionPosition: BitwiseCopyable, Sendable {
    struct Place: BitwiseCopyable, Sendable {
        let high: UInt64
        let low: UInt64
        let port: UInt16
        let isIPv4: Bool

        init(_ address: SocketAddress) {
            (high, low, port, isIPv4) = (address.address.high, address.address.low, address.port, address.address.isIPv4)
        }

        var address: SocketAddress {
            SocketAddress(isIPv4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6High: high, v6Low: low), port: port)
        }
    }

    var outside: OutgoingStream.Place
    var inside: OutgoingStream.Place
    var isLocked = false
    var phone = Place(SocketAddress(.anyIPv4, port: 0))
    var phoneSSRC = SSRC(0)
    var acceptedAt: UInt64 = 0
    var heardAt: UInt64 = 0
    /// Of the counters, those that end up on the call's record.
    var outsideIn = 0
    var outsideOut = 0
    var insideIn = 0
    var insideOut = 0
    /// What of runs is in all this.
    var taken = RunTotals()
    var given = RunTotals()

    /// Our SSRC towards the phone.
    public var ssrc: SSRC { outside.ssrc }
}

/// What else a session has counted: long, and written now and then. A successor counts on from there.
public struct SessionTally: BitwiseCopyable, Sendable {
    var counts: SessionStatistics
    var receiver: ReceiverStatistics
    var hasReceived = false
    var receiverSource = SSRC(0)
    var lostBefore = 0
}

// A session that another process goes on with (RELIABILITY §4.5).
extension Session {
    public var position: SessionPosition {
        var position = SessionPosition(outside: outside.place, inside: inside.place)
        position.heardAt = heardAt.nanoseconds
        (position.outsideIn, position.outsideOut) = (counts.outsideIn, counts.outsideOut)
        (position.insideIn, position.insideOut) = (counts.insideIn, counts.insideOut)
        (position.taken, position.given) = (passing.taken, passing.given)
        if let phone = latch.locked {
            (position.isLocked, position.phone, position.phoneSSRC) = (true, SessionPosition.Place(phone.address), phone.ssrc)
            position.acceptedAt = latch.lastAccepted.nanoseconds
        }
        return position
    }

    public var tally: SessionTally {
        var tally = SessionTally(counts: counts, receiver: receiver)
        tally.lostBefore = lostBefore
        if let receiverSource { (tally.hasReceived, tally.receiverSource) = (true, receiverSource) }
        return tally
    }

    /// Whether packets leave under numbers that a successor must know. Those that go straight from leg to leg, unprotected, keep theirs.
    public var hasOwnNumbers: Bool { !terms.isTransparent || transport != nil }

    /// Packets go straight to another leg, whatever they are.
    public var isTransparent: Bool { terms.isTransparent }

    /// Makes a new session, whose transports are there already, go on from there with this plan and room. What is transcoded begins anew,
    /// in the numbers that were reached.
    public mutating func resume(
        _ position: SessionPosition, _ tally: SessionTally, _ plan: ForwardingPlan?, room: SocketAddress?, now: Instant
    ) {
        if let plan { apply(plan, now: now) }
        self.room = room
        outside.resume(position.outside)
        inside.resume(position.inside)
        (counts, receiver, lostBefore) = (tally.counts, tally.receiver, tally.lostBefore)
        (counts.outsideIn, counts.outsideOut) = (position.outsideIn, position.outsideOut)
        (counts.insideIn, counts.insideOut) = (position.insideIn, position.insideOut)
        (passing.taken, passing.given) = (position.taken, position.given)
        receiver.resume()
        receiverSource = tally.hasReceived ? tally.receiverSource : nil
        heardAt = Instant(nanoseconds: position.heardAt)
        if position.isLocked {
            latch.resume(
                SourceLatch.Source(address: position.phone.address, ssrc: position.phoneSSRC),
                lastAccepted: Instant(nanoseconds: position.acceptedAt))
        }
        guard isTranscoding else { return }
        outside.interrupt()
        inside.interrupt()
    }
}

// Mutating, though nothing is changed: a borrowed value of such a size takes the compiler minutes.
extension Session {
    /// Nil: plain RTP.
    public mutating func transportRecord() -> MediaTransport.Record? { transport?.makeRecord() }

    /// Where the keys stand; false while there are none.
    public mutating func write(keys position: inout MediaTransport.KeyPosition) -> Bool { transport?.write(&position) ?? false }

    public mutating func controlTransportRecord() -> MediaTransport.Record? { controlTransport?.makeRecord() }

    /// The same for the port of RTCP, where it has keys of its own.
    public mutating func write(controlKeys position: inout MediaTransport.KeyPosition) -> Bool {
        controlTransport?.write(&position) ?? false
    }
}
