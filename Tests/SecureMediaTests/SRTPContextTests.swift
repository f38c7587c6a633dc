import RTP
import SRTP
import Testing

@Suite("SRTP: contexts")
struct SRTPContextTests {
    @Test("RELIABILITY V3: a flipped bit anywhere is unauthentic or malformed, and changes nothing", arguments: SRTP.Suite.allCases)
    func flippedBit(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, receiver) = (Sender(master), Receiver(master))
        _ = try receiver.unprotect(try sender.protect(Sample.packet(9)))
        let clear = Sample.packet(10, payload: 40, isLong: true)
        let sealed = try sender.protect(clear)
        let before = receiver.snapshot
        for bit in 0..<(8 * sealed.count) {
            var wrong = sealed
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            let failure = #expect(throws: Failure.self) { try receiver.unprotect(wrong) }
            // Of the first two bits and the sizes that a header announces some cannot be right; a far sequence number may be too old.
            #expect(failure == .unauthentic || bit < 32 || (8 * 20..<8 * 24).contains(bit), "bit \(bit): \(String(describing: failure))")
            #expect(receiver.buffer == wrong, "bit \(bit): the packet was touched")
            #expect(receiver.snapshot == before, "bit \(bit): the context was touched")
        }
        #expect(try receiver.unprotect(sealed) == clear)
    }

    @Test("RELIABILITY V3: the same for RTCP", arguments: SRTP.Suite.allCases)
    func flippedControlBit(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, receiver) = (Sender(master), Receiver(master))
        let clear = Sample.report()
        let sealed = try sender.protectControl(clear)
        for bit in 0..<(8 * sealed.count) {
            var wrong = sealed
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            let failure = #expect(throws: Failure.self) { try receiver.unprotectControl(wrong) }
            #expect(failure == .unauthentic || bit < 8, "bit \(bit): \(String(describing: failure))")
            #expect(receiver.buffer == wrong && receiver.snapshot.sources.isEmpty, "bit \(bit): something was touched")
        }
        #expect(try receiver.unprotectControl(sealed) == clear)
    }

    @Test("Whatever is cut off is no packet", arguments: SRTP.Suite.allCases)
    func cut(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, receiver) = (Sender(master), Receiver(master))
        let (packet, report) = (try sender.protect(Sample.packet(1, isLong: true)), try sender.protectControl(Sample.report()))
        for length in 0..<packet.count { #expect(throws: Failure.self) { try receiver.unprotect(Array(packet.prefix(length))) } }
        for length in 0..<report.count { #expect(throws: Failure.self) { try receiver.unprotectControl(Array(report.prefix(length))) } }
        for length in 0..<12 { #expect(throws: Failure.malformed) { try sender.protect(Array(Sample.packet(2).prefix(length))) } }
        #expect(receiver.snapshot.sources.isEmpty)
    }

    @Test("RFC 3711 §3.3.2: the window is as long as it is set", arguments: [64, 128, 500, 960])
    func window(length: Int) throws {
        let master = Sample.master(.aeadAES128GCM)
        let sender = Sender(master, limits: Limits(replayWindow: 960))
        let receiver = Receiver(master, limits: Limits(replayWindow: length))
        let packets = try (0..<2_000).map { try sender.protect(Sample.packet(UInt16(truncatingIfNeeded: 64_000 + $0), payload: 4)) }
        // Every second one, then those between, the newest first.
        for index in stride(from: 0, to: 2_000, by: 2) { _ = try receiver.unprotect(packets[index]) }
        var late = 0
        for index in stride(from: 1_997, to: 0, by: -2) {
            do {
                _ = try receiver.unprotect(packets[index])
                late += 1
                #expect(1_998 - index < length)
            } catch {
                #expect(error == .replayed && 1_998 - index >= length)
            }
        }
        #expect(late == length / 2)
        for packet in packets.prefix(1_999) { #expect(throws: Failure.replayed) { try receiver.unprotect(packet) } }
    }

    @Test("RFC 3711 §3.3.1: a packet from before the wrap belongs before it") func lateAcrossWrap() throws {
        let master = Sample.master(.aes128CounterModeSHA1_80)
        let (sender, receiver) = (Sender(master), Receiver(master))
        let packets = try [65_533, 65_534, 65_535, 0, 1].map { try sender.protect(Sample.packet($0)) }
        for index in [0, 4, 2, 3, 1] { #expect(try receiver.unprotect(packets[index]) == Sample.packet([65_533, 65_534, 65_535, 0, 1][index])) }
        #expect(receiver.snapshot.sources.first?.highest == 0x1_0001)
    }

    @Test("RFC 3711 §3.3.1: who comes late to a stream finds out how often its numbers have begun again, with its first source only", arguments: SRTP.Suite.allCases)
    func latecomer(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, receiver, told) = (Sender(master), Receiver(master), Receiver(master))
        try sender.context.open(SSRC(0xcafe_babe), at: SequenceNumber(65_534), rollover: 3)
        _ = try told.unprotectControl(try sender.protectControl(Sample.report()))
        for sequence in [65_534, 65_535, 0] as [UInt16] {
            let sealed = try sender.protect(Sample.packet(sequence))
            #expect(try receiver.unprotect(sealed) == Sample.packet(sequence))
            #expect(throws: Failure.replayed) { try receiver.unprotect(sealed) }
            #expect(try told.unprotect(sealed) == Sample.packet(sequence))
        }
        #expect(receiver.snapshot.sources.first?.highest == 4 << 16)
        let second = Sender(master)
        try second.context.open(SSRC(7), at: SequenceNumber(1), rollover: 1)
        let other = try second.protect(Sample.packet(1, ssrc: 7))
        #expect(throws: Failure.unauthentic) { try receiver.unprotect(other) }
        let third = Sender(master)
        try third.context.open(SSRC(0xcafe_babe), at: SequenceNumber(1), rollover: UInt32(Limits().rollovers + 1))
        let (far, late) = (try third.protect(Sample.packet(1)), Receiver(master))
        #expect(throws: Failure.unauthentic) { try late.unprotect(far) }
        #expect(late.buffer == far && late.snapshot.sources.isEmpty)
    }

    @Test("RFC 3711 §9.1: an index is used once; what is repeated is refused") func repeated() throws {
        let sender = Sender(Sample.master(.aeadAES128GCM))
        _ = try sender.protect(Sample.packet(5))
        _ = try sender.protect(Sample.packet(3))
        #expect(throws: Failure.replayed) { try sender.protect(Sample.packet(5, payload: 9)) }
        #expect(throws: Failure.replayed) { try sender.protect(Sample.packet(3, payload: 9)) }
    }

    @Test("RFC 3711 §9.2: after 2^48 packets a key is used up") func exhausted() throws {
        let master = Sample.master(.aes128CounterModeSHA1_80)
        let sender = Sender(master)
        try sender.context.open(SSRC(0xcafe_babe), at: SequenceNumber(65_535), rollover: .max)
        _ = try sender.protect(Sample.packet(65_535))
        #expect(throws: Failure.exhausted) { try sender.protect(Sample.packet(0)) }
        let last = Reservation(sources: [Reservation.Source(ssrc: SSRC(0xcafe_babe), end: 0, controlEnd: 1 << 31)])
        let control = Sender(try SendingContext(master, resuming: last))
        #expect(throws: Failure.exhausted) { try control.protectControl(Sample.report()) }
    }

    @Test("Sources that are not authentic take no room; those beyond the limit are refused") func sourceLimit() throws {
        let master = Sample.master(.aes128CounterModeSHA1_80)
        let receiver = Receiver(master, limits: Limits(sources: 2, formerSources: 0))
        let sender = Sender(master)
        for ssrc in UInt32(0)..<100 {
            let stranger = Sender(Sample.master(.aes128CounterModeSHA1_80, seed: 9))
            let (packet, report) = (try stranger.protect(Sample.packet(1, ssrc: ssrc)), try stranger.protectControl(Sample.report(ssrc: ssrc)))
            #expect(throws: Failure.unauthentic) { try receiver.unprotect(packet) }
            #expect(throws: Failure.unauthentic) { try receiver.unprotectControl(report) }
        }
        #expect(receiver.snapshot.sources.isEmpty)
        for ssrc in UInt32(1)...2 { _ = try receiver.unprotect(try sender.protect(Sample.packet(1, ssrc: ssrc))) }
        #expect(throws: Failure.tooManySources) { try receiver.unprotect(try sender.protect(Sample.packet(1, ssrc: 3))) }
        #expect(throws: Failure.tooManySources) { try receiver.unprotectControl(try sender.protectControl(Sample.report(ssrc: 3))) }
        #expect(try receiver.unprotect(try sender.protect(Sample.packet(2, ssrc: 1))) == Sample.packet(2, ssrc: 1))
    }

    @Test("RFC 3711 §3.2.3: of more sources than fit the most silent one makes room, and nothing of it is believed twice", arguments: SRTP.Suite.allCases)
    func manySources(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let receiver = Receiver(master, limits: Limits(sources: 4, formerSources: 60))
        let sender = Sender(master, limits: Limits(sources: 64))
        var heard: [(packet: [UInt8], report: [UInt8])] = []
        for ssrc in UInt32(1)...64 {
            for sequence in UInt16(1)...3 {
                let packet = try sender.protect(Sample.packet(sequence, ssrc: ssrc))
                let report = try sender.protectControl(Sample.report(ssrc: ssrc))
                #expect(try receiver.unprotect(packet) == Sample.packet(sequence, ssrc: ssrc))
                _ = try receiver.unprotectControl(report)
                heard.append((packet, report))
            }
        }
        let successor = Receiver(ReceivingContext(master, limits: receiver.context.limits, resuming: receiver.snapshot))
        for (packet, report) in heard {
            #expect(throws: Failure.replayed) { try receiver.unprotect(packet) }
            #expect(throws: Failure.replayed) { try receiver.unprotectControl(report) }
            #expect(throws: Failure.replayed) { try successor.unprotect(packet) }
        }
        // One that made room goes on, and one that is too many for the memory is refused.
        #expect(try receiver.unprotect(try sender.protect(Sample.packet(4, ssrc: 1))) == Sample.packet(4, ssrc: 1))
        let other = Sender(master)
        #expect(throws: Failure.tooManySources) { try receiver.unprotect(try other.protect(Sample.packet(1, ssrc: 99))) }
    }

    @Test("RELIABILITY V27: a key that comes back goes on behind what it has protected") func keyComesBack() throws {
        let master = Sample.master(.aes128CounterModeSHA1_80)
        let sender = Sender(master)
        for sequence in UInt16(65_530)...65_535 { _ = try sender.protect(Sample.packet(sequence)) }
        _ = try sender.protect(Sample.packet(0))
        let report = try sender.protectControl(Sample.report())
        let again = Sender(SendingContext(master, after: sender.context.used))
        #expect(throws: Failure.replayed) { try again.protect(Sample.packet(0, payload: 9)) }
        #expect(throws: Failure.replayed) { try again.protect(Sample.packet(65_535, payload: 9)) }
        let (next, nextReport) = (try again.protect(Sample.packet(1)), try again.protectControl(Sample.report()))
        #expect(nextReport != report)
        let receiver = Receiver(master)
        for packet in [try Sender(master).protect(Sample.packet(65_535)), next] { _ = try receiver.unprotect(packet) }
        #expect(receiver.snapshot.sources.first?.highest == 0x1_0001)
    }

    @Test("Both directions live apart") func context() throws {
        let (ours, theirs) = (Sample.master(.aeadAES256GCM), Sample.master(.aeadAES256GCM, seed: 50))
        var here = Context(sending: ours, receiving: theirs)
        let (sender, receiver) = (Sender(theirs), Receiver(ours))
        let sent = try change(Sample.packet(1), room: 16) { packet, count throws(Failure) in try here.protect(&packet, count: count) }
        #expect(try receiver.unprotect(sent) == Sample.packet(1))
        let heard = try change(try sender.protect(Sample.packet(7))) { packet, count throws(Failure) in
            try here.unprotect(&packet, count: count)
        }
        #expect(heard == Sample.packet(7))
        let told = try change(try sender.protectControl(Sample.report())) { packet, count throws(Failure) in
            try here.unprotectControl(&packet, count: count)
        }
        #expect(told == Sample.report())
        // A new key of theirs leaves what we send alone.
        here.replace(receiving: ReceivingContext(Sample.master(.aeadAES256GCM, seed: 51)))
        let report = try change(Sample.report(), room: 20) { packet, count throws(Failure) in
            try here.protectControl(&packet, count: count)
        }
        #expect(try receiver.unprotectControl(report) == Sample.report())
    }

    private func change(
        _ packet: [UInt8], room: Int = 0, _ body: (inout MutableSpan<UInt8>, Int) throws(Failure) -> Int
    ) throws(Failure) -> [UInt8] {
        var buffer = packet + [UInt8](repeating: 0, count: room)
        var span = buffer.mutableSpan
        let length = try body(&span, packet.count)
        return Array(buffer.prefix(length))
    }
}
