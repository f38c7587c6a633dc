import Audio
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

@Suite("MediaSession: comfort noise (RFC 3389)")
struct MediaComfortNoiseTests {
    private static let agreed = SessionRig.agreement([.pcmu, .comfortNoise()])
    private static let loud = G711.encode((0..<160).map { Int16($0 % 2 == 0 ? 4000 : -4000) }, .ulaw)
    private static let silence = [UInt8](repeating: 0xff, count: 160)

    @Test("A pause that a G.711 phone describes is noise of that level for the room, until its sound goes on, in one stream")
    func inward() throws {
        var rig = try SessionRig(Self.agreed)
        var packets: [SessionRig.Packet] = []
        for number in 0..<5 {
            rig.pass(milliseconds: 20)
            packets += rig.fromPhone(number, payload: Self.loud)
        }
        packets += rig.fromPhone(5, type: 13, payload: [50])
        var noise: [SessionRig.Packet] = []
        for _ in 0..<50 {
            rig.pass(milliseconds: 20)
            rig.buffer.removeAll()
            rig.session.expireInward(now: rig.now, into: &rig.buffer)
            noise += rig.received()
        }
        let samples = G711.decode(noise.dropFirst(10).flatMap(\.payload), .ulaw)
        #expect(noise.count > 40)
        // -50 dBov is 50 dB below the square wave of full scale, which lies 3 dB above the sine of dBFS.
        let level = Level(of: samples.span).dBFS
        #expect(level > -52 && level < -42)
        let after = rig.fromPhone(6, (6 + 50) * 160, payload: Self.loud)
        #expect(G711.decode(after.last?.payload ?? [], .ulaw).map { abs(Int($0)) }.max() ?? 0 > 3000)
        let all = packets + noise + after
        #expect(zip(all, all.dropFirst()).allSatisfy { ($1.sequence - $0.sequence) & 0xffff == 1 })
        #expect(zip(all, all.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp >= 160 })
    }

    @Test("A pause of the room is described after 200 ms and again each half second; sound after it has the marker and its time")
    func outward() throws {
        var rig = try SessionRig(Self.agreed, settings: SessionSettings(describesPauses: true))
        let payloads = Array(repeating: Self.loud, count: 3) + Array(repeating: Self.silence, count: 60) + [Self.loud]
        var packets: [SessionRig.Packet] = []
        for (number, payload) in payloads.enumerated() {
            rig.pass(milliseconds: 20)
            packets += rig.fromRoom(number, payload: payload)
        }
        #expect(packets.map(\.type) == Array(repeating: 0, count: 13) + [13, 13, 0])
        #expect(packets.filter { $0.type == 13 }.allSatisfy { $0.payload == [70] })
        let last = try #require(packets.last)
        #expect(last.marker && last.payload == Self.loud && last.timestamp - packets[0].timestamp == 63 * 160)
        #expect(zip(packets, packets.dropFirst()).allSatisfy { ($1.sequence - $0.sequence) & 0xffff == 1 })
    }

    @Test("Who did not agree to it, or whose operator does not want it, gets every packet")
    func unwanted() throws {
        for (agreement, settings) in [
            (Self.agreed, SessionSettings()), (SessionRig.agreement([.pcmu]), SessionSettings(describesPauses: true)),
        ] {
            var rig = try SessionRig(agreement, settings: settings)
            var count = 0
            for number in 0..<60 { count += rig.fromRoom(number, payload: Self.silence).count }
            #expect(count == 60)
        }
    }
}
