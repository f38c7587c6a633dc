import Addresses
import Audio
import Codecs
import Foundation
import RTP
import SDP
import Testing

@testable import MediaSession

@Suite("What phones wish to be sent: Opus (RFC 7587 §6.1)")
struct OpusWishesTests {
    /// What the offer of a phone with that `a=fmtp` comes to.
    static func agreement(_ wishes: String?, _ lines: String...) throws -> Agreement {
        try PacketTimeTests.agreement("111", ["rtpmap:111 opus/48000/2"] + (wishes.map { ["fmtp:111 \($0)"] } ?? []) + lines)
    }

    /// A voice of 120 Hz that says a syllable three times a second, at 8 kHz.
    private static func voice(seconds: Int) -> [Int16] {
        var sound: [Int16] = []
        for index in 0..<(seconds * 8000) {
            let syllable = abs(Double(index * 3 % 8000) / 8000 - 0.5) * 2
            let angle = 2 * Double.pi * 120 * Double(index) / 8000
            var sum = 0.0
            for harmonic in 1...12 { sum += sin(angle * Double(harmonic)) / Double(6 * harmonic) }
            sound.append(Int16(8000 * syllable * sum))
        }
        return sound
    }

    /// What the phone is sent while the room says that, 20 ms after 20 ms.
    private static func sent(
        _ sound: [Int16], _ agreement: Agreement, opus: OpusSettings = OpusSettings()
    ) throws -> [SessionRig.Packet] {
        var rig = try SessionRig(agreement, settings: SessionSettings(opus: opus))
        return rig.say(sound, from: 1)
    }

    /// SILK, one channel, 20 ms in one frame (RFC 6716 §3.1); behind the bit for activity is the one for the redundancy (§4.2.4).
    private static func isRedundant(_ packet: SessionRig.Packet) -> Bool {
        packet.payload.count > 1 && packet.payload[0] < 0x60 && packet.payload[0] & 3 == 0 && packet.payload[1] & 0x40 != 0
    }

    private static func bitrate(_ packets: [SessionRig.Packet]) -> Int {
        packets.reduce(0) { $0 + $1.payload.count } * 8 * 50 / max(1, packets.count)
    }

    @Test(
        "useinbandfec: packets carry the one before only for who says that it makes use of it, and only where the operator has them do so",
        arguments: [
            (nil, true, false), ("minptime=10", true, false), ("useinbandfec=0", true, false), ("useinbandfec=1", true, true),
            ("useinbandfec=1", false, false),
        ] as [(String?, Bool, Bool)])
    func redundancy(wishes: String?, isAllowed: Bool, isThere: Bool) throws {
        let settings = OpusSettings(forwardErrorCorrection: isAllowed)
        let packets = try Self.sent(Self.voice(seconds: 2), Self.agreement(wishes), opus: settings)
        let carrying = packets.count(where: Self.isRedundant)
        #expect(packets.count == 100 && (isThere ? carrying > 50 : carrying == 0), "\(carrying) of \(packets.count)")
    }

    @Test(
        "usedtx: nothing is sent in pauses where the phone wishes so and the operator allows it, else everything is",
        arguments: [
            ("usedtx=1", true, true), ("usedtx=1", false, false), ("usedtx=0", true, false), (nil, true, false),
        ] as [(String?, Bool, Bool)])
    func pauses(wishes: String?, isAllowed: Bool, leavesOut: Bool) throws {
        let silence = [Int16](repeating: 0, count: 16_000)
        let sound = Self.voice(seconds: 1) + silence + Self.voice(seconds: 1)
        let packets = try Self.sent(sound, Self.agreement(wishes), opus: OpusSettings(discontinuous: isAllowed))
        #expect(leavesOut ? packets.count > 100 && packets.count < 150 : packets.count == 200, "\(packets.count)")
        // RFC 3551 §4.1: what follows upon a pause says so, and time has gone on.
        #expect(packets.dropFirst().contains(where: \.marker) == leavesOut)
        let last = try #require(packets.last)
        #expect(last.timestamp - packets[0].timestamp == 199 * 960)
    }

    @Test("maxaveragebitrate: no more is sent than that on average; what is no rate of Opus says nothing")
    func averageBitrate() throws {
        let sound = Self.voice(seconds: 4)
        let usual = try Self.sent(sound, Self.agreement(nil))
        #expect(Self.bitrate(usual) > 13_000)
        for most in [6000, 8000, 12_000] {
            let bitrate = Self.bitrate(try Self.sent(sound, Self.agreement("maxaveragebitrate=\(most)")))
            #expect(bitrate <= most + most / 20, "\(bitrate)")
            #expect(bitrate < Self.bitrate(usual))
        }
        for odd in ["0", "5999", "510001", "x", "510000"] {
            let packets = try Self.sent(sound, Self.agreement("maxaveragebitrate=\(odd)"))
            #expect(packets == usual, "\(odd)")
        }
    }

    @Test("cbr: all packets have one length, and else they do not", arguments: [("cbr=1", true), ("cbr=0", false)])
    func constantBitrate(wishes: String, isConstant: Bool) throws {
        let lengths = Set(try Self.sent(Self.voice(seconds: 2), Self.agreement(wishes)).map(\.payload.count))
        #expect(isConstant ? lengths == [50] : lengths.count > 10, "\(lengths)")
    }

    @Test(
        "maxplaybackrate, stereo: what is made from a telephone's sound is narrowband and of one channel, which every phone plays",
        arguments: ["maxplaybackrate=8000", "maxplaybackrate=48000", "stereo=1;sprop-stereo=1"])
    func narrowband(wishes: String) throws {
        let packets = try Self.sent(Self.voice(seconds: 1), Self.agreement(wishes))
        // RFC 6716 §3.1: SILK, narrowband, 20 ms; one channel; one frame.
        #expect(packets.count == 50 && packets.allSatisfy { $0.payload.first == 0x08 })
    }

    @Test("maxplaybackrate: no more bandwidth is coded than the phone plays")
    func playback() {
        func settings(_ wishes: String) -> OpusSettings { OpusSettings().meeting(OpusParameters(FormatParameters(wishes))) }
        #expect(settings("maxplaybackrate=16000").playbackRate == 16_000)
        #expect(settings("useinbandfec=1").playbackRate == nil)
    }

    @Test("RFC 3264 §8: wishes that change within a call count from then on, and the numbers of the packets go on")
    func changed() throws {
        var rig = try SessionRig(Self.agreement(nil))
        let sound = Self.voice(seconds: 1)
        let before = rig.say(sound, from: 1)
        let agreement = try Self.agreement("cbr=1")
        let (plan, same) = (try #require(ForwardingPlan(agreement)), try #require(ForwardingPlan(agreement)))
        rig.session.apply(plan, now: rig.now)
        let after = rig.say(sound, from: 51)
        #expect(Set(before.map(\.payload.count)).count > 10 && Set(after.map(\.payload.count)) == [50])
        let last = try #require(before.last), first = try #require(after.first)
        #expect(first.sequence == (last.sequence + 1) & 0xffff && first.timestamp > last.timestamp && first.marker)
        // The same again is no change.
        rig.session.apply(same, now: rig.now)
        let rest = rig.say(sound, from: 101)
        #expect(rest.count == 50 && rest.allSatisfy { !$0.marker && $0.payload.count == 50 })
    }

    @Test("RELIABILITY §4.5: who goes on with a session from what is kept of it sends as was agreed")
    func successor() throws {
        let kept = try JSONEncoder().encode(Self.agreement("cbr=1;maxaveragebitrate=8000", "ptime:40"))
        let agreement = try JSONDecoder().decode(Agreement.self, from: kept)
        let plan = try #require(ForwardingPlan(agreement))
        var rig = try SessionRig(Self.agreement("cbr=1;maxaveragebitrate=8000", "ptime:40"))
        let sound = Self.voice(seconds: 1)
        let before = rig.say(sound, from: 1)
        let (position, tally, now) = (rig.session.position, rig.session.tally, rig.now)
        rig.session = Session(random: (0, 0), now: now)
        rig.session.resume(position, tally, plan, room: SessionRig.room, now: now)
        let after = rig.say(sound, from: 51)
        // 8000 bits a second in 40 ms.
        #expect(before.count == 25 && after.count == 25 && (before + after).allSatisfy { $0.payload.count == 40 })
        let last = try #require(before.last), first = try #require(after.first)
        #expect(first.sequence == (last.sequence + 1) & 0xffff && first.timestamp - last.timestamp == 1920)
        #expect(zip(after, after.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp == 1920 })
    }

    @Test("What a snapshot of a phone without wishes, or of an earlier version, does not have is as by default")
    func earlierSnapshot() throws {
        let text = #"{"codec":{"name":"opus","clockRate":48000,"channels":2},"sendingPayloadType":111,"receivingPayloadType":111}"#
        let format = try JSONDecoder().decode(AgreedFormat.self, from: Data(text.utf8))
        #expect(format.remoteOpusParameters == OpusParameters())
        #expect(AgreedFormat(codec: .pcmu, sendingPayloadType: 0, receivingPayloadType: 0, remoteParameters: "cbr=1").remoteOpusParameters == nil)
    }
}

extension SessionRig {
    /// What the phone is sent while the room says that, 20 ms after 20 ms, under these numbers.
    mutating func say(_ sound: [Int16], from sequence: Int) -> [Packet] {
        var packets: [Packet] = []
        for (index, start) in stride(from: 0, to: sound.count - 159, by: 160).enumerated() {
            packets += fromRoom(sequence + index, payload: G711.encode(sound[start..<(start + 160)], .ulaw))
            pass(milliseconds: 20)
        }
        return packets
    }
}
