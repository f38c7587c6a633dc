import Audio
import Codecs
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

private func events(_ packets: [SessionRig.Packet]) -> [TelephoneEvent] { packets.filter { $0.type == 101 }.compactMap(\.event) }

private func sound(_ packets: [SessionRig.Packet]) -> [Int16] {
    G711.decode(packets.filter { $0.type == 0 }.flatMap(\.payload), .ulaw)
}

/// A tone within silence, in frames of 20 ms.
private func frames(of keys: String, _ law: G711.Law = .ulaw, milliseconds: Int = 100) -> [[UInt8]] {
    let silence = [Int16](repeating: 0, count: 1600)
    let values = keys.reduce(into: silence) { $0 += (DTMF.samples(of: $1, milliseconds: milliseconds)?.values ?? []) + silence }
    return stride(from: 0, to: values.count, by: 160).map { G711.encode(Array(values[$0..<min($0 + 160, values.count)]), law) }
}

/// The keys that a detector hears in 8 kHz sound.
private func keys(in samples: [Int16]) throws -> [UInt8] {
    var (samples, position) = (samples + [Int16](repeating: 0, count: 800), 0)
    var detector = try ToneDetector()
    var heard: [UInt8] = []
    var span = samples.mutableSpan
    while let event = detector.pass(&span, from: &position) { if case .began(let code) = event { heard.append(code) } }
    return heard
}

private func encode(_ sound: [Int16], by encoder: inout Encoder) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 400)
    var span = bytes.mutableSpan
    let count = encoder.encode(sound.span, into: &span)
    return Array(bytes.prefix(count))
}

private func decode(_ payload: [UInt8], by decoder: inout Decoder, into sound: inout [Int16]) -> Int {
    var span = sound.mutableSpan
    return decoder.decode(payload.span, into: &span)
}

extension SessionRig {
    /// Time passes, and what is due is sent to the room.
    fileprivate mutating func dueWithin(milliseconds: Int) -> [Packet] {
        let end = now + .milliseconds(milliseconds)
        var packets: [Packet] = []
        while let due = session.digitDeadline, due <= end {
            now = max(now, due)
            buffer.removeAll()
            session.expireDigits(now: now, into: &buffer)
            packets += received()
        }
        now = end
        return packets
    }

    /// Sound of the phone at its pace, with what becomes due between.
    fileprivate mutating func hear(_ payloads: [[UInt8]], type: UInt8, from first: Int = 0) -> [Packet] {
        var packets: [Packet] = []
        for (number, payload) in payloads.enumerated() {
            packets += fromPhone(first + number, type: type, payload: payload)
            packets += dueWithin(milliseconds: 20)
        }
        return packets
    }

    /// The packets of an event of the phone, one each 20 ms.
    fileprivate mutating func press(_ code: UInt8, from sequence: Int) -> [Packet] {
        var sender = EventSender(code: code, timestamp: Timestamp(UInt32(sequence * 160)), duration: 640)
        var packets: [Packet] = []
        var number = sequence
        while let packet = sender.next() {
            var payload: [UInt8] = []
            packet.event.append(to: &payload)
            packets += fromPhone(number, sequence * 160, type: 101, payload: payload, marker: packet.marker)
            packets += dueWithin(milliseconds: 20)
            number += 1
        }
        return packets
    }
}

@Suite("MediaSession: keys of the phone (RFC 4733, RFC 6086, ITU-T Q.23)")
struct MediaDigitTests {
    private static let hearing = SessionSettings(hearsTones: true)
    private static let withEvents = SessionRig.agreement([.pcmu, .telephoneEvent])

    @Test("A key of a message goes inside as one event: it begins with a marker, keeps its time, grows, and ends three times")
    func message() throws {
        var rig = try SessionRig(Self.withEvents)
        let before = rig.hear([SessionRig.sound(), SessionRig.sound()], type: 0)
        rig.session.press(5, for: .milliseconds(100), now: rig.now)
        let packets = rig.dueWithin(milliseconds: 300)
        let told = events(packets)
        #expect(told.map(\.code) == [5, 5, 5, 5, 5, 5, 5] && told.map(\.isEnd) == [false, false, false, false, true, true, true])
        #expect(told.map(\.duration) == [160, 320, 480, 640, 800, 800, 800])
        #expect(packets.map(\.marker) == [true, false, false, false, false, false, false])
        #expect(Set(packets.map(\.timestamp)).count == 1)
        let numbers = (before + packets).map { ($0.sequence - before[0].sequence) & 0xffff }
        #expect(numbers == Array(0..<9))
        // The sound goes on behind it.
        let after = rig.hear([SessionRig.sound()], type: 0, from: 17)
        #expect(after.map { ($0.sequence - before[0].sequence) & 0xffff } == [24])
    }

    @Test("A key that comes as an event and in a message is one, whichever comes first; the next press is the next")
    func twoWays() throws {
        var rig = try SessionRig(Self.withEvents)
        _ = rig.hear([SessionRig.sound()], type: 0)
        for first in [10, 40] {
            let pressed = rig.press(7, from: first)
            rig.session.press(7, for: .milliseconds(100), now: rig.now)
            let due = rig.dueWithin(milliseconds: 500)
            #expect(Set(events(pressed).map(\.code)) == [7] && due.isEmpty)
        }
        rig.pass(milliseconds: 2000)
        rig.session.press(8, for: .milliseconds(100), now: rig.now)
        let due = rig.dueWithin(milliseconds: 300)
        let (same, next) = (rig.press(8, from: 200), rig.press(8, from: 220))
        #expect(!due.isEmpty && events(same).isEmpty && Set(events(next).map(\.code)) == [8])
    }

    @Test("Keys of messages wait for each other; what is no key is left out")
    func queue() throws {
        var rig = try SessionRig(Self.withEvents)
        for code in [1, 1, 10, 16, 200] as [UInt8] { rig.session.press(code, for: .milliseconds(60), now: rig.now) }
        let packets = rig.dueWithin(milliseconds: 2000)
        let starts = packets.filter(\.marker)
        #expect(starts.compactMap(\.event).map(\.code) == [1, 1, 10])
        #expect(starts.map(\.timestamp) == starts.map(\.timestamp).sorted() && Set(starts.map(\.timestamp)).count == 3)
        let deadline = rig.session.digitDeadline
        #expect(deadline == nil)
    }

    @Test(
        "Tones become events where no events were agreed on, once each, and what is heard of the tone is too short for a key",
        arguments: [Codec.pcmu, .pcma])
    func tones(codec: Codec) throws {
        var rig = try SessionRig(SessionRig.agreement([codec]), settings: Self.hearing)
        let law: G711.Law = codec == .pcma ? .alaw : .ulaw
        let packets = rig.hear(frames(of: "159#", law), type: codec == .pcma ? 8 : 0)
        let starts = packets.filter { $0.type == 101 && $0.marker }.compactMap(\.event).map(\.code)
        #expect(starts == [1, 5, 9, 11])
        #expect(try keys(in: sound(packets)).isEmpty)
        let ends = events(packets).filter(\.isEnd)
        #expect(ends.count == 12 && ends.allSatisfy { $0.duration > 560 && $0.duration < 1100 })
    }

    @Test("The same for a phone whose sound is transcoded")
    func transcodedTones() throws {
        var rig = try SessionRig(SessionRig.agreement([.g722]), settings: Self.hearing)
        var encoder = try Encoder(.g722, rate: 8000)
        var payloads: [[UInt8]] = []
        for frame in frames(of: "42") { payloads.append(encode(G711.decode(frame, .ulaw), by: &encoder)) }
        let packets = rig.hear(payloads, type: 9)
        #expect(packets.filter { $0.type == 101 && $0.marker }.compactMap(\.event).map(\.code) == [4, 2])
        #expect(try keys(in: sound(packets)).isEmpty)
    }

    @Test("Where events were agreed on, tones are sound; beside an event the sound is silent")
    func eventWins() throws {
        var rig = try SessionRig(Self.withEvents, settings: Self.hearing)
        let packets = rig.hear(frames(of: "3"), type: 0)
        #expect(events(packets).isEmpty)
        #expect(try keys(in: sound(packets)) == [3])

        let tone = frames(of: "3")[11]
        let event = rig.fromPhone(100, 16_000, type: 101, payload: [3, 10, 0, 160], marker: true)
        let isDown = rig.session.isInDigit(at: rig.now)
        #expect(events(event).count == 1 && isDown)
        let beside = rig.fromPhone(101, 16_000, payload: tone).map(\.payload)
        #expect(beside == [[UInt8](repeating: 0xff, count: 160)])
        rig.fromPhone(102, 16_000, type: 101, payload: [3, 0x8a, 1, 64])
        let behind = rig.fromPhone(103, 16_320, payload: tone).map(\.payload)
        #expect(behind == [tone])
        // An end that is lost does not silence the phone for ever.
        rig.fromPhone(104, 16_480, type: 101, payload: [4, 10, 0, 160], marker: true)
        rig.pass(milliseconds: 250)
        let isStillDown = rig.session.isInDigit(at: rig.now)
        #expect(!isStillDown)
    }

    @Test("Blocked keys: the room gets neither event nor tone, and the owner is told of each")
    func blocked() throws {
        var rig = try SessionRig(SessionRig.agreement([.pcmu]), settings: Self.hearing)
        rig.session.blocksDigits = true
        let packets = rig.hear(frames(of: "80"), type: 0)
        let heard = sound(packets)
        #expect(events(packets).isEmpty && heard.count > 4000)
        let window = heard.dropFirst(1600).prefix(1200)
        #expect(Level(of: Array(window).span).dBFS < -40)
        let (told, again) = (rig.session.takeToldDigits(), rig.session.takeToldDigits())
        #expect(told == [8, 0] && again == [])

        var other = try SessionRig(Self.withEvents)
        other.session.blocksDigits = true
        let pressed = other.press(6, from: 10)
        other.session.press(6, for: .milliseconds(100), now: other.now)
        let due = other.dueWithin(milliseconds: 500)
        #expect(events(pressed).isEmpty && due.isEmpty)
        // A tone beside its event is one key, and not heard either.
        let mixed = other.hear(frames(of: "6"), type: 0, from: 40)
        #expect(try keys(in: sound(mixed)).isEmpty)
        let once = other.session.takeToldDigits()
        other.session.blocksDigits = false
        let passed = other.press(6, from: 200)
        #expect(once == [6] && !events(passed).isEmpty)
    }

    @Test("A phone that takes no events hears tones, as long as the events were, in its codec and packet length", arguments: [20, 30])
    func tonesOutward(packetTime: Int) throws {
        var agreement = SessionRig.agreement([.pcma])
        agreement.packetTime = packetTime
        var rig = try SessionRig(agreement)
        var packets: [SessionRig.Packet] = []
        for number in 0..<3 { packets += rig.fromRoom(number, payload: [UInt8](repeating: 0xff, count: 160)) }
        var sender = EventSender(code: 9, timestamp: Timestamp(480), duration: 800)
        var (number, tick) = (3, 3)
        while let packet = sender.next() {
            var payload: [UInt8] = []
            packet.event.append(to: &payload)
            packets += rig.fromRoom(number, 480, type: 101, payload: payload, marker: packet.marker)
            // The room goes on sending its silence.
            packets += rig.fromRoom(number + 1, tick * 160, payload: [UInt8](repeating: 0xff, count: 160))
            rig.pass(milliseconds: 20)
            number += 2
            tick += 1
        }
        for index in 0..<6 { packets += rig.fromRoom(number + index, (tick + index) * 160, payload: [UInt8](repeating: 0xff, count: 160)) }
        #expect(packets.allSatisfy { $0.type == 8 && $0.payload.count == packetTime * 8 })
        let heard = G711.decode(packets.flatMap(\.payload), .alaw)
        #expect(try keys(in: heard) == [9])
        let loud = heard.filter { abs(Int($0)) > 100 }.count
        #expect(loud > 700 && loud <= 800)
        let times = packets.map(\.timestamp)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= packetTime * 8 })
    }

    @Test("The same for a phone whose sound is transcoded")
    func transcodedTonesOutward() throws {
        var rig = try SessionRig(SessionRig.agreement([.g722]))
        var packets: [SessionRig.Packet] = []
        for number in 0..<3 { packets += rig.fromRoom(number, payload: [UInt8](repeating: 0xff, count: 160)) }
        var sender = EventSender(code: 11, timestamp: Timestamp(480), duration: 800)
        var number = 3
        while let packet = sender.next() {
            var payload: [UInt8] = []
            packet.event.append(to: &payload)
            packets += rig.fromRoom(number, 480, type: 101, payload: payload, marker: packet.marker)
            rig.pass(milliseconds: 20)
            number += 1
        }
        var decoder = try Decoder(.g722, rate: 8000)
        var heard: [Int16] = []
        for packet in packets {
            #expect(packet.type == 9)
            var sound = [Int16](repeating: 0, count: 400)
            let count = decode(packet.payload, by: &decoder, into: &sound)
            heard += sound.prefix(count)
        }
        #expect(try keys(in: heard) == [11])
    }
}
