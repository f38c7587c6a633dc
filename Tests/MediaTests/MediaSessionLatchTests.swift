import Addresses
import Deadlines
import MediaSession
import RTP
import Testing

private let signalled = SocketAddress(IPAddress(v4: 0xc000_0201), port: 4000)
private let otherPort = SocketAddress(IPAddress(v4: 0xc000_0201), port: 61000)
private let elsewhere = SocketAddress(IPAddress(v4: 0xc633_6409), port: 4000)
private let attacker = SocketAddress(IPAddress(v4: 0xcb00_7105), port: 9999)

@Suite("MediaSession: whose packets are taken (RELIABILITY V1, V2)")
struct MediaSessionLatchTests {
    private func latch(_ address: SocketAddress? = signalled) -> SourceLatch {
        var latch = SourceLatch()
        latch.arm(address)
        return latch
    }

    private func feed(_ latch: inout SourceLatch, _ packets: [(SocketAddress, UInt32)], at seconds: Int = 0) -> [Bool] {
        packets.map { latch.admits($0.0, SSRC($0.1), now: Instant(nanoseconds: 1) + .seconds(seconds)) }
    }

    @Test("The signalled address locks at once, even after strangers")
    func signalledFirst() {
        var latch = latch()
        let taken = feed(&latch, [(attacker, 9), (attacker, 9), (signalled, 1), (attacker, 9), (signalled, 1)])
        #expect(taken == [false, false, true, false, true])
        #expect(latch.locked == SourceLatch.Source(address: signalled, ssrc: SSRC(1)))
    }

    @Test("Behind a NAT the source is learned with the fifth packet, not before and not after")
    func learning() {
        var latch = latch()
        let taken = feed(&latch, Array(repeating: (elsewhere, 1), count: 6))
        #expect(taken == [false, false, false, false, true, true])
        #expect(feed(&latch, [(signalled, 2), (attacker, 1)]) == [false, false])
    }

    @Test("Of several sources: the signalled host's other port, then the most packets, then the first")
    func ranking() {
        var latch = latch()
        _ = feed(&latch, [(attacker, 9), (attacker, 9), (attacker, 9), (otherPort, 1), (attacker, 9)])
        #expect(latch.locked?.address == otherPort)
        latch.arm(nil)
        _ = feed(&latch, [(elsewhere, 1), (attacker, 9), (elsewhere, 1), (attacker, 9), (SocketAddress(attacker.address, port: 1), 9)])
        #expect(latch.locked?.address == elsewhere)
    }

    @Test("Locked: address, port and SSRC must match")
    func strict() {
        var latch = latch()
        _ = feed(&latch, [(signalled, 1)])
        #expect(feed(&latch, [(signalled, 2), (otherPort, 1), (elsewhere, 1), (signalled, 1)]) == [false, false, false, true])
    }

    @Test("RFC 3550 §8.2: a new SSRC of the same source is believed once the old one has been silent")
    func newSSRC() {
        var latch = latch()
        _ = feed(&latch, [(signalled, 1)])
        #expect(feed(&latch, [(signalled, 2)], at: 1) == [false])
        #expect(feed(&latch, [(otherPort, 2), (signalled, 2), (signalled, 1)], at: 2) == [false, true, false])
    }

    @Test("Only a new offer/answer opens the latch; the phone that stays where it was is known again at once")
    func relearning() {
        var latch = latch()
        _ = feed(&latch, Array(repeating: (elsewhere, 1), count: 5))
        latch.arm(signalled)
        #expect(latch.isOpen && latch.address == elsewhere)
        #expect(feed(&latch, [(attacker, 9), (elsewhere, 3), (attacker, 9)]) == [false, true, false])
        // A new signalled address forgets the old source.
        latch.arm(otherPort)
        #expect(latch.address == nil)
        #expect(feed(&latch, [(elsewhere, 3), (otherPort, 4)]) == [false, true])
    }
}
