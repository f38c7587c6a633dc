public import Addresses
public import Deadlines
public import RTP

/// Decides whose packets a session takes: the source is learned once, within few packets, and kept (RELIABILITY V1, V2).
///
/// After each offer/answer the latch is open for at most five packets. The signalled address locks it at once; behind a NAT the
/// packets come from elsewhere, and the most likely of the sources seen is taken when the five are used up. Locked is address,
/// port and SSRC; the address changes only with the next offer/answer.
public struct SourceLatch: Sendable {
    public static let window = 5

    public struct Source: Hashable, Sendable {
        public var address: SocketAddress
        public var ssrc: SSRC

        public init(address: SocketAddress, ssrc: SSRC) { (self.address, self.ssrc) = (address, ssrc) }
    }

    private struct Candidate {
        var source: Source
        var packets: Int
    }

    /// RFC 3550 §8.2 lets a source change its SSRC. Without new signalling that is believed when the old one has been silent
    /// for two seconds and the new one comes from the very same address and port.
    private static let silence = Interval.seconds(2)

    /// Whether another SSRC of the same address and port is the same phone at once: several streams, or a farm behind one address.
    public var bearsSources = false
    public private(set) var locked: Source?
    private(set) var lastAccepted = Instant(nanoseconds: 0)
    private var signalled: SocketAddress?
    /// Where the phone was before this offer/answer, if its signalled address did not change.
    private var previous: SocketAddress?
    private var packetsSeen = 0
    /// No more than the window is long.
    private var candidates: [Candidate] = []

    public init() {}

    public var isOpen: Bool { locked == nil }

    /// Goes on with the source that another process had locked.
    mutating func resume(_ source: Source, lastAccepted: Instant) { (locked, self.lastAccepted) = (source, lastAccepted) }

    /// Where the phone is: learned, or, until it is learned anew, where it was when its signalled address was the same.
    public var address: SocketAddress? { locked?.address ?? previous }

    /// Opens the window; `signalled` is nil when the description names no usable address.
    public mutating func arm(_ signalled: SocketAddress?) {
        previous = self.signalled == signalled ? locked?.address ?? previous : nil
        (self.signalled, locked, packetsSeen) = (signalled, nil, 0)
        candidates = []
    }

    /// Whether this valid RTP packet is the phone's. Nothing is taken before the latch has locked.
    public mutating func admits(_ address: SocketAddress, _ ssrc: SSRC, now: Instant) -> Bool {
        if let source = locked {
            guard source.address == address else { return false }
            if source.ssrc != ssrc {
                guard bearsSources || now - lastAccepted >= Self.silence else { return false }
                locked = Source(address: address, ssrc: ssrc)
            }
            lastAccepted = now
            return true
        }
        let source = Source(address: address, ssrc: ssrc)
        guard address == signalled || address == previous || learn(source) else { return false }
        locked = locked ?? source
        lastAccepted = now
        return locked == source
    }

    /// Packets of the locked source were taken, the last of them then.
    mutating func accepted(at time: Instant) { lastAccepted = max(lastAccepted, time) }

    /// Takes a source that has proved to be the phone: its packets have the right tag. Once locked, only a path that checks have
    /// validated moves it (`isOnPath`).
    public mutating func follow(_ address: SocketAddress, _ ssrc: SSRC, isOnPath: Bool, now: Instant) -> Bool {
        let source = Source(address: address, ssrc: ssrc)
        if let locked, locked.address != address, !isOnPath { return false }
        (locked, lastAccepted) = (source, now)
        return true
    }

    /// Counts a packet of the window; true when it was the last one and the choice is made.
    private mutating func learn(_ source: Source) -> Bool {
        packetsSeen += 1
        if let index = candidates.firstIndex(where: { $0.source == source }) {
            candidates[index].packets += 1
        } else {
            candidates.append(Candidate(source: source, packets: 1))
        }
        guard packetsSeen >= Self.window else { return false }
        var best: Candidate?
        for candidate in candidates {
            // At equality the earlier one stays: an attacker has to be both louder and quicker than the phone.
            if let current = best, rank(candidate) <= rank(current) { continue }
            best = candidate
        }
        locked = best?.source
        candidates = []
        return true
    }

    /// Another port of the signalled host (a port-changing NAT) outweighs any number of packets from elsewhere.
    private func rank(_ candidate: Candidate) -> Int {
        candidate.packets + (candidate.source.address.address == signalled?.address ? Self.window : 0)
    }
}
