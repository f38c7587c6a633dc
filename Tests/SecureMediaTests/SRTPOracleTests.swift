import SRTP
import Testing

@Suite("SRTP with libsrtp2")
struct SRTPOracleTests {
    @Test("RTP to libsrtp2 and back: over two wraps of the sequence number, reordered, with losses", arguments: SRTP.Suite.allCases)
    func rtp(suite: SRTP.Suite) throws {
        let (ours, theirs) = (Sample.master(suite), Sample.master(suite, seed: 77))
        let (sender, receiver) = (Sender(ours), Receiver(theirs))
        let (oracleReceiver, oracleSender) = (try Oracle(ours, isSending: false), try Oracle(theirs, isSending: true))
        var dice = Dice(state: 42)
        var waiting: [(number: Int, clear: [UInt8], toThem: [UInt8], toUs: [UInt8])] = []
        var arrived = 0
        for number in 0..<75_000 {
            let clear = Sample.packet(
                UInt16(truncatingIfNeeded: 60_000 + number), payload: number % 41 == 0 ? 0 : Int(dice.next() % 33), isLong: number % 3 == 0)
            waiting.append((number, clear, try sender.protect(clear), try oracleSender.protect(clear)))
            guard waiting.count > 20 else { continue }
            // One of twenty arrives, none a hundred packets late; one of thirty never does.
            let packet = waiting.remove(at: number - waiting[0].number > 100 ? 0 : Int(dice.next() % 20))
            guard dice.next() % 30 != 0 else { continue }
            let (there, here) = (try oracleReceiver.unprotect(packet.toThem), try receiver.unprotect(packet.toUs))
            guard there == packet.clear, here == packet.clear else {
                Issue.record("packet \(number) differs")
                return
            }
            arrived += 1
            if number % 1_000 == 0 {
                #expect(throws: Failure.replayed) { try receiver.unprotect(packet.toUs) }
                #expect(throws: Oracle.Refusal.replayed) { try oracleReceiver.unprotect(packet.toThem) }
            }
        }
        #expect(arrived > 70_000)
    }

    @Test("Both protect a packet to the same bytes", arguments: SRTP.Suite.allCases)
    func sameBytes(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, oracle) = (Sender(master), try Oracle(master, isSending: true))
        for length in [0, 1, 15, 16, 17, 160, 255, 256, 257, 511, 1_200] {
            let clear = Sample.packet(UInt16(1_000 + length), payload: length, isLong: length % 2 == 1)
            #expect(try sender.protect(clear) == (try oracle.protect(clear)), "\(length) bytes")
        }
    }

    @Test("RTCP to libsrtp2 and back, reordered", arguments: SRTP.Suite.allCases)
    func rtcp(suite: SRTP.Suite) throws {
        let (ours, theirs) = (Sample.master(suite), Sample.master(suite, seed: 77))
        let (sender, receiver) = (Sender(ours), Receiver(theirs))
        let (oracleReceiver, oracleSender) = (try Oracle(ours, isSending: false), try Oracle(theirs, isSending: true))
        for number in stride(from: UInt8(0), to: 200, by: 2) {
            let pair = [Sample.report(number: number), Sample.report(number: number + 1)]
            let (toThem, toUs) = (try pair.map { try sender.protectControl($0) }, try pair.map { try oracleSender.protectControl($0) })
            for index in [1, 0] {
                #expect(try oracleReceiver.unprotectControl(toThem[index]) == pair[index])
                #expect(try receiver.unprotectControl(toUs[index]) == pair[index])
                #expect(throws: Failure.replayed) { try receiver.unprotectControl(toUs[index]) }
            }
        }
    }

    @Test("Several sources at once", arguments: [SRTP.Suite.aeadAES128GCM, .aes128CounterModeSHA1_80])
    func sources(suite: SRTP.Suite) throws {
        let master = Sample.master(suite)
        let (sender, oracle) = (Sender(master), try Oracle(master, isSending: false))
        for number in 0..<100 {
            for ssrc in UInt32(1)...16 {
                let clear = Sample.packet(UInt16(truncatingIfNeeded: 65_500 + number + Int(ssrc)), ssrc: ssrc)
                #expect(try oracle.unprotect(try sender.protect(clear)) == clear)
            }
        }
        #expect(throws: Failure.tooManySources) { try sender.protect(Sample.packet(1, ssrc: 17)) }
    }
}
