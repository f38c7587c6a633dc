import Addresses
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

@Suite("Sessions of phones that speak another codec")
struct TranscodedSessionTests {
    @Test("What waits for a lost packet is due once, although the room has been left meanwhile")
    func deadlinePasses() throws {
        let phone = SocketAddress(.loopbackIPv4, port: 4_000)
        let agreement = Agreement(
            remote: phone, remoteControl: SocketAddress(.loopbackIPv4, port: 4_001), direction: .sendReceive,
            formats: [AgreedFormat(codec: .g722, sendingPayloadType: 9, receivingPayloadType: 9)])
        let plan = try #require(ForwardingPlan(agreement))
        var now = Instant(nanoseconds: 1_000_000_000)
        var session = Session(random: (1, 2), now: now)
        session.apply(plan, now: now)
        session.link(to: SocketAddress(.loopbackIPv4, port: 5_000), ssrc: SSRC(7))
        var packets = PacketBuffer()
        for (sequence, time) in [(UInt8(1), UInt8(0)), (3, 64)] {
            let packet: [UInt8] = [0x80, 9, 0, sequence, 0, 0, sequence == 1 ? 0 : 1, time, 0, 0, 0, 9] + [UInt8](repeating: 0x55, count: 160)
            _ = session.outsidePacket(packet.span, from: phone, now: now, into: &packets)
        }
        let due = session.transcodingDeadline
        now = try #require(due)
        session.link(to: nil, ssrc: SSRC(0))
        packets.removeAll()
        session.expireInward(now: now, into: &packets)
        let (count, next) = (packets.count, session.transcodingDeadline)
        #expect(count == 0 && next.map { $0 > now } ?? true)
    }
}
