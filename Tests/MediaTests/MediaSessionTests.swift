import Addresses
import Audio
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

private let phone = SocketAddress(IPAddress(v4: 0xc000_0201), port: 4000)
private let room = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 20000)
private let otherRoom = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 20002)

private func agreement(
    _ codec: Codec = .pcmu, sends: UInt8? = nil, direction: Direction = .sendReceive, packetTime: Int = 20,
    event: (sending: UInt8, receiving: UInt8)? = (96, 101), remote: SocketAddress = phone
) -> Agreement {
    let number = codec.staticPayloadType ?? 0
    var formats = [AgreedFormat(codec: codec, sendingPayloadType: sends ?? number, receivingPayloadType: number)]
    if let event {
        formats.append(
            AgreedFormat(codec: .telephoneEvent, sendingPayloadType: event.sending, receivingPayloadType: event.receiving))
    }
    return Agreement(
        remote: remote, remoteControl: SocketAddress(remote.address, port: remote.port + 1), direction: direction, formats: formats,
        packetTime: packetTime)
}

/// A packet as one side receives it.
private struct Received: Equatable {
    var payloadType: UInt8
    var sequence: Int
    var timestamp: Int
    var ssrc: UInt32
    var marker: Bool
    var payload: [UInt8]
}

/// Counters relative to the first packet's; they wrap (the sessions here start just before that).
private func numbers(_ packets: [Received]) -> [Int] { packets.map { ($0.sequence - packets[0].sequence) & 0xffff } }
private func clock(_ packets: [Received]) -> [Int] { packets.map { ($0.timestamp - packets[0].timestamp) & 0xffff_ffff } }

/// A session with a phone on one side and a room on the other; time moves with `at`.
private struct Rig: ~Copyable {
    var session: Session
    var buffer = PacketBuffer()

    /// Another process goes on from what the memory shows.
    mutating func succeed(_ agreement: Agreement = agreement(), at milliseconds: Int) throws {
        let plan = try #require(ForwardingPlan(agreement))
        let (position, tally) = (session.position, session.tally)
        session = Session(random: (0, 0), now: Instant(nanoseconds: 0))
        session.resume(position, tally, plan, room: room, now: Instant(nanoseconds: 0) + .milliseconds(milliseconds))
    }

    init(_ agreement: Agreement = agreement(), isLinked: Bool = true) throws {
        session = Session(random: (0xfffe_fffd_0000_0001, 0xffff_ff00_0000_1000), now: Instant(nanoseconds: 0))
        session.apply(try #require(ForwardingPlan(agreement)), now: Instant(nanoseconds: 0))
        if isLinked { session.link(to: room, ssrc: SSRC(77)) }
    }

    mutating func fromPhone(
        _ sequence: Int, _ timestamp: Int? = nil, type: UInt8 = 0, payload: [UInt8] = sound(), ssrc: UInt32 = 5, marker: Bool = false,
        from source: SocketAddress = phone, at milliseconds: Int? = nil
    ) -> (Verdict, [Received]) {
        let bytes = packet(sequence, timestamp ?? sequence * 160, type, payload, ssrc, marker)
        buffer.removeAll()
        let now = Instant(nanoseconds: 0) + .milliseconds(milliseconds ?? sequence * 20)
        let verdict = session.outsidePacket(bytes.span, from: source, now: now, into: &buffer)
        return (verdict, received())
    }

    mutating func fromRoom(
        _ sequence: Int, _ timestamp: Int? = nil, type: UInt8 = 0, payload: [UInt8] = sound(), marker: Bool = false,
        from source: SocketAddress = room, at milliseconds: Int? = nil
    ) -> (Verdict, [Received]) {
        let bytes = packet(sequence, timestamp ?? sequence * 160, type, payload, 1, marker)
        buffer.removeAll()
        let now = Instant(nanoseconds: 0) + .milliseconds(milliseconds ?? sequence * 20)
        let verdict = session.insidePacket(bytes.span, from: source, now: now, into: &buffer)
        return (verdict, received())
    }

    private func received() -> [Received] {
        (0..<buffer.count).compactMap { index in
            let bytes = buffer[index]
            guard let header = try? Header(parsing: bytes) else { return nil }
            return Received(
                payloadType: header.payloadType.value, sequence: Int(header.sequence.value), timestamp: Int(header.timestamp.value),
                ssrc: header.ssrc.value, marker: header.marker, payload: header.payloadRange.map { bytes[$0] })
        }
    }
}

private func sound(_ count: Int = 160, from first: Int = 0) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: first + $0) } }

private func packet(_ sequence: Int, _ timestamp: Int, _ type: UInt8, _ payload: [UInt8], _ ssrc: UInt32, _ marker: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    Header(
        payloadType: PayloadType(type), sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence)),
        timestamp: Timestamp(UInt32(truncatingIfNeeded: timestamp)), ssrc: SSRC(ssrc), marker: marker
    ).append(to: &bytes)
    return bytes + payload
}

@Suite("MediaSession: forwarding")
struct MediaSessionTests {
    @Test("RELIABILITY §4.5: whoever goes on from a session's position sends what the session would have sent", arguments: 0..<12)
    func successor(death: Int) throws {
        var one = try Rig()
        var two = try Rig()
        var (left, right): ([Received], [Received]) = ([], [])
        for number in 0..<12 {
            // The last of them comes out of order, and one is lost.
            let own = number == 11 ? 8 : number + (number > 5 ? 1 : 0)
            left += one.fromPhone(own, at: number * 20).1 + one.fromRoom(500 + own, at: number * 20).1
            right += two.fromPhone(own, at: number * 20).1 + two.fromRoom(500 + own, at: number * 20).1
            if number == death { try two.succeed(at: number * 20 + 10) }
        }
        #expect(left == right)
        #expect(left.count == 24)
        let (first, second) = (one.session.statistics, two.session.statistics)
        #expect(first == second)
        let stranger = two.fromPhone(20, from: SocketAddress(IPAddress(v4: 0xc633_6401), port: 9), at: 300).0
        #expect(stranger == .stranger)
    }

    @Test("Outside to inside: own SSRC, own counters that follow the source's distances, sound untouched")
    func inward() throws {
        var rig = try Rig()
        let packets = [10, 11, 13, 12, 14].flatMap { rig.fromPhone($0).1 }
        #expect(numbers(packets) == [0, 1, 3, 2, 4])
        #expect(clock(packets) == [0, 160, 480, 320, 640])
        #expect(packets.allSatisfy { $0.ssrc == 77 && $0.payloadType == 0 && $0.payload == sound() })
        #expect(packets.map(\.marker) == [true, false, false, false, false])
        let statistics = rig.session.statistics
        #expect(statistics.outsideIn == 5 && statistics.insideOut == 5 && statistics.received.lost == 0)
    }

    @Test("Sequence numbers and timestamps wrap on both sides")
    func wrap() throws {
        var rig = try Rig()
        let packets = (65530...65545).flatMap { rig.fromPhone($0).1 }
        for (before, after) in zip(packets, packets.dropFirst()) {
            #expect((after.sequence - before.sequence) & 0xffff == 1)
            #expect((after.timestamp - before.timestamp) & 0xffff_ffff == 160)
        }
    }

    @Test("A-law outside is µ-law inside, both ways, by the tables of G.711")
    func transcoding() throws {
        var rig = try Rig(agreement(.pcma))
        let inward = rig.fromPhone(1, type: 8)
        #expect(inward.1.map(\.payload) == [sound().map { G711.ulawFromAlaw[Int($0)] }] && inward.1[0].payloadType == 0)
        let outward = rig.fromRoom(1)
        #expect(outward.1.map(\.payload) == [sound().map { G711.alawFromUlaw[Int($0)] }] && outward.1[0].payloadType == 8)
        // A codec that was not agreed on is not guessed.
        let other = rig.fromPhone(2, type: 0)
        #expect(other.0 == .malformed)
    }

    @Test("Inside to outside goes on without a break when the leg moves to another room")
    func movingRooms() throws {
        var rig = try Rig()
        var packets = (100..<103).flatMap { rig.fromRoom($0).1 }
        rig.session.link(to: otherRoom, ssrc: SSRC(78))
        let stale = rig.fromRoom(103)
        #expect(stale.0 == .stranger)
        packets += (0..<3).flatMap { rig.fromRoom(60000 + $0, 7 + $0 * 160, from: otherRoom, at: (103 + $0) * 20).1 }
        #expect(Set(packets.map(\.ssrc)) == [rig.session.ssrc.value])
        #expect(numbers(packets) == Array(0..<6))
        #expect(clock(packets) == (0..<6).map { $0 * 160 })
        #expect(packets.map(\.marker) == [true, false, false, true, false, false])
    }

    @Test("Events: the phone's number outside, 101 inside; timestamps are those of the sound around them")
    func events() throws {
        var rig = try Rig()
        let event: [UInt8] = [5, 10, 0, 160]
        let before = rig.fromPhone(1).1[0]
        let first = rig.fromPhone(2, 320, type: 101, payload: event, marker: true).1[0]
        let second = rig.fromPhone(3, 320, type: 101, payload: event).1[0]
        let after = rig.fromPhone(4, 800).1[0]
        #expect([first, second].allSatisfy { $0.payloadType == 101 && $0.payload == event })
        #expect(numbers([before, first, second, after]) == [0, 1, 2, 3])
        #expect(clock([before, first, second, after]) == [0, 160, 160, 640])
        #expect(first.marker && !second.marker)
        let outward = rig.fromRoom(1, type: 101, payload: event).1
        #expect(outward.map(\.payloadType) == [96])
        #expect(rig.fromPhone(5, type: 101, payload: [1, 2]).0 == .malformed)
    }

    @Test("Events in between sound do not turn the clock back")
    func interleavedEvents() throws {
        var rig = try Rig()
        let event: [UInt8] = [5, 10, 0, 160]
        var packets = rig.fromPhone(1, 160).1
        packets += rig.fromPhone(2, 160, type: 101, payload: event).1
        packets += rig.fromPhone(3, 320).1
        packets += rig.fromPhone(4, 160, type: 101, payload: event).1
        packets += rig.fromPhone(5, 480).1
        #expect(clock(packets) == [0, 0, 160, 0, 320])
        #expect(numbers(packets) == [0, 1, 2, 3, 4])
    }

    @Test("A phone without telephone-event gets none: its tones are sound")
    func noEvents() throws {
        var rig = try Rig(agreement(event: nil))
        let verdict = rig.fromRoom(1, type: 101, payload: [5, 10, 0, 160])
        #expect(verdict.1.allSatisfy { $0.payloadType == 0 })
    }
}

@Suite("MediaSession: packet lengths")
struct MediaSessionPacketTimeTests {
    @Test("10, 30, 40 and 60 ms of the phone become 20 ms inside, not a sample lost", arguments: [80, 240, 320, 480])
    func inward(samples: Int) throws {
        var rig = try Rig()
        let total = samples * 12
        var packets: [Received] = []
        for index in 0..<12 {
            let payload = sound(samples, from: index * samples)
            packets += rig.fromPhone(index + 1, index * samples, payload: payload, at: index * samples / 8).1
        }
        #expect(packets.count == total / 160)
        #expect(packets.flatMap(\.payload) == sound(total))
        #expect(clock(packets) == (0..<packets.count).map { $0 * 160 })
        #expect(numbers(packets) == Array(0..<packets.count))
        #expect(packets.map(\.marker) == [true] + Array(repeating: false, count: packets.count - 1))
    }

    @Test("20 ms inside becomes what the phone asked for", arguments: [10, 30, 40, 60])
    func outward(packetTime: Int) throws {
        var rig = try Rig(agreement(.pcma, packetTime: packetTime))
        let packets = (0..<12).flatMap { rig.fromRoom($0 + 1, payload: sound(160, from: $0 * 160)).1 }
        #expect(packets.count == 240 / packetTime && packets.allSatisfy { $0.payload.count == packetTime * 8 })
        #expect(packets.flatMap(\.payload) == sound(1920).map { G711.alawFromUlaw[Int($0)] })
        #expect(clock(packets) == (0..<packets.count).map { $0 * packetTime * 8 })
    }

    @Test("A lost packet leaves a gap in the numbers, and halves are not joined across it")
    func loss() throws {
        var rig = try Rig()
        var packets: [Received] = []
        for index in [0, 1, 3, 4] {
            packets += rig.fromPhone(index, index * 240, payload: sound(240, from: index * 240), at: index * 30).1
        }
        #expect(clock(packets) == [0, 160, 320, 720, 880, 1040])
        #expect(numbers(packets) == [0, 1, 2, 4, 5, 6])
        for packet in packets { #expect(packet.payload == sound(160, from: clock([packets[0], packet])[1])) }
    }

    @Test("A packet of any length is survived; too long ones are refused")
    func hostileLengths() throws {
        var rig = try Rig(agreement(packetTime: 10))
        for length in 0...1500 {
            let inward = rig.fromPhone(length + 1, payload: sound(length))
            let outward = rig.fromRoom(length + 1, payload: sound(length))
            if length == 0 || length > 1120 { #expect(inward.0 == .malformed) }
            if length == 0 || length > 560 { #expect(outward.0 == .malformed) }
        }
    }
}

@Suite("MediaSession: direction, sources, silence")
struct MediaSessionDirectionTests {
    @Test(
        "RFC 3264 §5.1: each direction lets through what it says",
        arguments: [
            (Direction.sendReceive, true, true), (.sendOnly, false, true), (.receiveOnly, true, false), (.inactive, false, false),
        ])
    func directions(direction: Direction, inward: Bool, outward: Bool) throws {
        var rig = try Rig(agreement(direction: direction))
        #expect(rig.fromPhone(1).0 == (inward ? .forwarded : .held))
        #expect(rig.fromRoom(1).0 == (outward ? .forwarded : .held))
    }

    @Test("Hold by 0.0.0.0: nothing is sent, not even where packets came from")
    func legacyHold() throws {
        var rig = try Rig(agreement(remote: SocketAddress(.anyIPv4, port: 4000)))
        _ = (1...5).map { rig.fromPhone($0) }
        #expect(rig.fromRoom(1).0 == .held)
    }

    @Test("After a hold the stream to the phone goes on: next number, clock moved by the time that passed, marker set")
    func resume() throws {
        var rig = try Rig()
        let before = rig.fromRoom(1).1[0]
        rig.session.apply(try #require(ForwardingPlan(agreement(direction: .inactive))), now: Instant(nanoseconds: 0) + .milliseconds(30))
        #expect(rig.fromRoom(2).0 == .held)
        rig.session.apply(try #require(ForwardingPlan(agreement())), now: Instant(nanoseconds: 0) + .seconds(2))
        let after = rig.fromRoom(101, at: 2020).1[0]
        #expect(numbers([before, after]) == [0, 1] && clock([before, after]) == [0, 16000] && after.marker)
        #expect(after.ssrc == before.ssrc)
    }

    @Test("V2: strangers change nothing; before the room is linked nothing goes anywhere")
    func strangers() throws {
        var rig = try Rig(isLinked: false)
        #expect(rig.fromPhone(1).0 == .held)
        rig.session.link(to: room, ssrc: SSRC(77))
        #expect(rig.fromPhone(2).0 == .forwarded)
        let attacker = SocketAddress(IPAddress(v4: 1), port: 1)
        #expect(rig.fromPhone(3, ssrc: 6).0 == .stranger)
        #expect(rig.fromPhone(3, from: attacker).0 == .stranger)
        #expect(rig.fromRoom(1, from: attacker).0 == .stranger)
        let next = rig.fromPhone(3)
        #expect(next.0 == .forwarded && rig.session.statistics.strangers == 3 && rig.session.destination == phone)
    }

    @Test("Doubles and stragglers of more than a hundred packets are no part of the stream; a restarted source is")
    func restarts() throws {
        var rig = try Rig()
        _ = rig.fromPhone(1000)
        #expect(rig.fromPhone(1000).0 == .late)
        let before = rig.fromPhone(1001).1[0]
        let restarted = rig.fromPhone(5, at: 1001 * 20 + 20).1[0]
        #expect(numbers([before, restarted]) == [0, 1] && clock([before, restarted]) == [0, 160] && restarted.marker)
    }

    @Test("Comfort noise and other uninvited formats are no loss inside")
    func uninvited() throws {
        var rig = try Rig()
        let before = rig.fromPhone(1).1[0]
        #expect(rig.fromPhone(2, type: 13, payload: [40]).0 == .malformed)
        let after = rig.fromPhone(3).1[0]
        #expect(numbers([before, after]) == [0, 1] && clock([before, after]) == [0, 320])
    }

    @Test("Silence is counted from the last packet, and not while the phone need not send")
    func silence() throws {
        var rig = try Rig()
        _ = rig.fromPhone(1, at: 1000)
        let late = Instant(nanoseconds: 0) + .seconds(61)
        #expect(rig.session.silence(now: late) == .seconds(60))
        rig.session.apply(try #require(ForwardingPlan(agreement(direction: .sendOnly))), now: late)
        #expect(rig.session.silence(now: late + .seconds(100)) == nil)
        rig.session.apply(try #require(ForwardingPlan(agreement())), now: late)
        #expect(rig.session.silence(now: late + .seconds(1)) == .seconds(1))
    }

    @Test("RFC 3389: comfort noise is a sign of life and no loss; a stranger's is neither")
    func comfortNoise() throws {
        var rig = try Rig()
        _ = rig.fromPhone(1, at: 0)
        _ = rig.fromPhone(2, at: 20)
        for second in 1...70 { _ = rig.fromPhone(2 + second, type: 13, payload: [40], at: second * 1000) }
        let now = Instant(nanoseconds: 0) + .seconds(70)
        #expect(rig.session.silence(now: now) == .zero)
        _ = rig.fromPhone(73, at: 70_020)
        #expect(rig.session.statistics.received.lost == 0)
        let before = rig.fromPhone(74, at: 70_040).1
        _ = rig.fromPhone(75, type: 13, payload: [40], from: SocketAddress(IPAddress(v4: 9), port: 9), at: 80_000)
        #expect(rig.session.silence(now: now + .seconds(10)) == .milliseconds(9960))
        let after = rig.fromPhone(75, at: 80_000).1
        #expect(before.count == 1 && after.count == 1 && numbers(before + after) == [0, 1])
    }

    @Test("No truncation of a packet traps")
    func truncations() throws {
        var rig = try Rig()
        let whole = packet(1, 160, 0, sound(), 5, false)
        for end in whole.indices {
            for first in [0x80, 0xbf, 0x00] as [UInt8] {
                var changed = Array(whole[..<end])
                if !changed.isEmpty { changed[0] = first }
                rig.buffer.removeAll()
                _ = rig.session.outsidePacket(changed.span, from: phone, now: Instant(nanoseconds: 0), into: &rig.buffer)
                _ = rig.session.insidePacket(changed.span, from: room, now: Instant(nanoseconds: 0), into: &rig.buffer)
                _ = rig.session.controlPacket(changed.span, from: phone, now: Instant(nanoseconds: 0), ntpTime: 0)
            }
        }
    }
}

@Suite("MediaSession: control packets (RFC 3550 §6)")
struct MediaSessionControlTests {
    private let control = SocketAddress(phone.address, port: 4001)

    private func bytes(_ packets: ControlPacket...) -> [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets { packet.append(to: &bytes) }
        return bytes
    }

    @Test("§6.4: a receiver report before anything was sent, a sender report after; loss as A.3 counts it; a goodbye at the end")
    func reports() throws {
        var rig = try Rig()
        for sequence in [1, 2, 3, 5] { _ = rig.fromPhone(sequence) }
        let now = Instant(nanoseconds: 0) + .milliseconds(100)
        let made = rig.session.report(now: now, ntpTime: 1, canonicalName: "x")
        let first = try #require(made)
        guard case .receiverReport(let receiver) = try ControlPacket.parse(first.span)[0] else {
            Issue.record("no receiver report")
            return
        }
        #expect(receiver.blocks.map(\.ssrc) == [SSRC(5)] && receiver.blocks[0].cumulativeLost == 1)
        let sent = rig.fromRoom(1, at: 100).1[0]
        let end = rig.session.report(now: now + .milliseconds(20), ntpTime: 2, canonicalName: "x", isLast: true)
        let last = try #require(end)
        let packets = try ControlPacket.parse(last.span)
        guard case .senderReport(let sender) = packets[0] else {
            Issue.record("no sender report")
            return
        }
        #expect(sender.packetCount == 1 && sender.octetCount == 160 && Int(sender.timestamp.value) == (sent.timestamp + 160) & 0xffff_ffff)
        #expect(packets[1] == .sourceDescription([SourceDescription(ssrc: rig.session.ssrc, canonicalName: "x")]))
        #expect(packets[2] == .goodbye(sources: [rig.session.ssrc], reason: nil))
    }

    @Test("§6.4.1: what the phone reports of us gives loss and round trip; V6: others' reports are ignored")
    func roundTrip() throws {
        var rig = try Rig()
        _ = rig.fromPhone(1)
        #expect(rig.session.controlDestination == control)
        let block = ReportBlock(
            ssrc: rig.session.ssrc, fractionLost: 0, cumulativeLost: 7, highestSequence: 1, jitter: 0, lastSenderReport: 0x10000,
            delaySinceLast: 0x8000)
        // The middle 32 bits of the NTP time: 1.5625 s, of which 1 s is LSR and 0.5 s DLSR.
        let ntpTime: UInt64 = 0x1_9000 << 16
        let fromOther = bytes(.receiverReport(ReceiverReport(ssrc: SSRC(6), blocks: [block])))
        let ours = bytes(.receiverReport(ReceiverReport(ssrc: SSRC(5), blocks: [block])))
        let stranger = SocketAddress(IPAddress(v4: 1), port: 4001)
        let taken = [
            rig.session.controlPacket(fromOther.span, from: control, now: Instant(nanoseconds: 0), ntpTime: ntpTime),
            rig.session.controlPacket(ours.span, from: stranger, now: Instant(nanoseconds: 0), ntpTime: ntpTime),
        ]
        #expect(taken == [false, false] && rig.session.statistics.sent == nil)
        let isTaken = rig.session.controlPacket(ours.span, from: control, now: Instant(nanoseconds: 0), ntpTime: ntpTime)
        #expect(isTaken && rig.session.statistics.sent?.lost == 7)
        #expect(rig.session.statistics.roundTripMilliseconds == 62.5)
    }

    @Test("§6.2.1: a phone that reports is there though it suppresses silence; after its goodbye it is not")
    func lifeSign() throws {
        var rig = try Rig()
        for number in 1...2 { _ = rig.fromPhone(number) }
        func silence(after packet: [UInt8], from source: SocketAddress, at second: Int) -> Interval? {
            let now = Instant(nanoseconds: 0) + .seconds(second)
            rig.session.controlPacket(packet.span, from: source, now: now, ntpTime: 0)
            return rig.session.silence(now: now)
        }
        let report = bytes(.receiverReport(ReceiverReport(ssrc: SSRC(5))))
        let others = bytes(.receiverReport(ReceiverReport(ssrc: SSRC(6))))
        #expect(silence(after: report, from: control, at: 50) == .zero)
        #expect(silence(after: others, from: control, at: 60) == .seconds(10))
        #expect(silence(after: report, from: SocketAddress(IPAddress(v4: 1), port: 4001), at: 70) == .seconds(20))
        #expect(silence(after: bytes(.goodbye(sources: [SSRC(5)], reason: nil)), from: control, at: 80) == .seconds(30))
        #expect(silence(after: report, from: control, at: 90) == .seconds(40))
    }

    @Test("RFC 5761: on a shared port control packets go where sound goes, also behind a NAT")
    func sharedPort() throws {
        var shared = agreement()
        shared.remoteControl = shared.remote
        var rig = try Rig(shared)
        #expect(rig.session.controlDestination == phone)
        let behind = SocketAddress(IPAddress(v4: 0xc633_6401), port: 61_000)
        for number in 1...6 { _ = rig.fromPhone(number, from: behind) }
        #expect(rig.session.destination == behind && rig.session.controlDestination == behind)
    }
}
