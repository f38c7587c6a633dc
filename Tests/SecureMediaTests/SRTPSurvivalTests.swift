import Foundation
import RTP
import SRTP
import Testing

private let source = SSRC(0xcafe_babe)

@Suite("SRTP: a successor goes on (RELIABILITY V27, §4.5)")
struct SRTPSurvivalTests {
    private func stored<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
    }

    @Test("Nothing is sent that is not reserved, and nothing reserved counts before it is kept") func reserving() throws {
        let sender = Sender(try SendingContext(Sample.master(.aeadAES128GCM), limits: Limits(reservedPackets: 4), resuming: Reservation()))
        #expect(throws: Failure.unreserved) { try sender.protect(Sample.packet(100)) }
        try sender.context.open(source, at: SequenceNumber(100))
        #expect(sender.needsReservation)
        let first = sender.reserve()
        #expect(first.sources == [Reservation.Source(ssrc: source, end: 104, controlEnd: 64)])
        #expect(throws: Failure.unreserved) { try sender.protect(Sample.packet(100)) }
        sender.context.commit(first)
        #expect(!sender.needsReservation)
        for sequence in UInt16(100)..<103 { _ = try sender.protect(Sample.packet(sequence)) }
        #expect(sender.needsReservation)
        _ = try sender.protect(Sample.packet(103))
        #expect(throws: Failure.unreserved) { try sender.protect(Sample.packet(104)) }
        sender.context.commit(sender.reserve())
        _ = try sender.protect(Sample.packet(104))
    }

    @Test("Killed at any packet, no index is used a second time, and the far end hears on", arguments: SRTP.Suite.allCases)
    func killed(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let receiver = Receiver(master)
        let oracle = try Oracle(master, isSending: false)
        var dice = Dice(state: 7)
        var kept = Reservation()
        var sender = Sender(try SendingContext(master, resuming: kept))
        try sender.context.open(source, at: SequenceNumber(65_000))
        var seen: Set<[UInt8]> = []
        for life in 0..<60 {
            var sequence = try #require(sender.nextSequence(of: source))
            for _ in 0..<(dice.next() % 300) {
                // Half of the time what is reserved is kept too late.
                if sender.needsReservation, dice.next() % 2 == 0 {
                    kept = try stored(sender.reserve())
                    sender.context.commit(kept)
                }
                guard let packet = try? sender.protect(Sample.packet(sequence.value, payload: 24)) else { continue }
                // What the payload was encrypted with: under one key the same twice means the same index twice.
                let plain = Sample.packet(sequence.value, payload: 24)
                #expect(seen.insert(zip(packet[12..<36], plain[12...]).map { $0 ^ $1 }).inserted, "life \(life): an index was used again")
                #expect(try receiver.unprotect(packet) == plain)
                #expect(try oracle.unprotect(packet) == plain)
                let report = Sample.report(number: UInt8(life))
                if dice.next() % 4 == 0, let packet = try? sender.protectControl(report) {
                    #expect(try receiver.unprotectControl(packet) == report)
                    #expect(try oracle.unprotectControl(packet) == report)
                }
                sequence = sequence.next
            }
            sender = Sender(try SendingContext(master, resuming: kept))
            if kept.sources.isEmpty { try sender.context.open(source, at: SequenceNumber(65_000)) }
        }
        #expect(seen.count > 1_000)
    }

    @Test("A receiver goes on in the rollover it was in, and takes nothing twice", arguments: SRTP.Suite.allCases)
    func receiver(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, first) = (Sender(master), Receiver(master))
        var packets: [[UInt8]] = []
        for number in 0..<70_000 {
            let packet = try sender.protect(Sample.packet(UInt16(truncatingIfNeeded: number + 60_000), payload: 1))
            if number % 1_000 != 999 { _ = try first.unprotect(packet) }
            if number >= 69_900 { packets.append(packet) }
        }
        let report = try sender.protectControl(Sample.report())
        _ = try first.unprotectControl(report)
        let second = Receiver(ReceivingContext(master, resuming: try stored(first.snapshot)))
        for packet in packets.dropLast() { #expect(throws: Failure.replayed) { try second.unprotect(packet) } }
        #expect(throws: Failure.replayed) { try second.unprotectControl(report) }
        #expect(try second.unprotect(try #require(packets.last)).count == 13)
        let next = Sample.packet(UInt16(truncatingIfNeeded: 130_100))
        #expect(try second.unprotect(try sender.protect(next)) == next)
    }

    @Test("A snapshot that was spoilt opens nothing twice") func spoilt() throws {
        let master = Sample.master(.aeadAES128GCM)
        let (sender, first) = (Sender(master), Receiver(master))
        let packets = try (UInt16(1)...5).map { try sender.protect(Sample.packet($0)) }
        for packet in packets { _ = try first.unprotect(packet) }
        var snapshot = first.snapshot
        snapshot.sources[0].window = [1, 2, 3]
        let second = Receiver(ReceivingContext(master, resuming: snapshot))
        for packet in packets { #expect(throws: Failure.replayed) { try second.unprotect(packet) } }
        #expect(try second.unprotect(try sender.protect(Sample.packet(6))) == Sample.packet(6))
    }
}
