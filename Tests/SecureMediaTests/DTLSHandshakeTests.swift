import DTLS
import Deadlines
import SRTP
import Testing

@Suite("DTLS: handshakes in virtual time (RFC 6347, RFC 5764)")
struct DTLSHandshakeTests {
    private static let (here, there) = (Endpoint(.make(now: 1_800_000_000)), Endpoint(.make(now: 1_800_000_000)))

    private func line(
        _ active: Endpoint = here, _ passive: Endpoint = there, expecting: [Fingerprint]? = nil, activeExpecting: [Fingerprint]? = nil,
        limits: Handshake.Limits = Handshake.Limits()
    ) -> Line {
        Line(
            Handshake(active, role: .active, fingerprints: activeExpecting ?? [passive.certificate.fingerprint], limits: limits),
            Handshake(passive, role: .passive, fingerprints: expecting ?? [active.certificate.fingerprint], limits: limits))
    }

    private func expectKeys(_ line: Line, _ comment: Comment? = nil) {
        let (active, passive) = (line.active.keying, line.passive.keying)
        #expect(active != nil && active?.sending == passive?.receiving && active?.receiving == passive?.sending, comment)
        #expect(active?.sending != active?.receiving && active?.suite == passive?.suite, comment)
        #expect(line.active.outcomes.count == 1 && line.passive.outcomes.count == 1, comment)
        #expect(line.active.deadline == nil && line.passive.deadline == nil, comment)
    }

    @Test("RFC 5764 §4.2: both sides get the same keys, each for its direction, after two round trips") func plain() throws {
        let line = line()
        line.start()
        line.run(for: .milliseconds(81))
        expectKeys(line)
        #expect(line.active.counts == Handshake.Counts() && line.passive.counts == Handshake.Counts())
        let keying = try #require(line.active.keying)
        #expect(keying.suite == .aeadAES128GCM)
        let (sender, receiver) = (Sender(keying.sending), Receiver(try #require(line.passive.keying).receiving))
        #expect(try receiver.unprotect(try sender.protect(Sample.packet(1))) == Sample.packet(1))
    }

    @Test("RFC 5764 §4.1.2: the most preferred profile that both have", arguments: Endpoint.suites)
    func profiles(suite: SRTP.Suite) throws {
        let line = line(Self.here, Endpoint(.make(now: 1_800_000_000), suites: [.aes256CounterModeSHA1_80, suite]))
        line.start()
        line.run()
        expectKeys(line)
        #expect(line.active.keying?.suite == suite)
    }

    @Test("RFC 5764 §4.1: without a common profile there are no keys") func noProfile() {
        let line = line(Endpoint(.make(now: 0), suites: [.aeadAES128GCM]), Endpoint(.make(now: 0), suites: [.aes128CounterModeSHA1_80]))
        line.start()
        line.run()
        #expect(line.active.keying == nil && line.passive.keying == nil)
        #expect(line.active.outcomes.count == 1 && line.passive.outcomes.count == 1)
    }

    @Test("§4.2.4: each datagram may be lost once, from either side", arguments: [Line.Side.active, .passive], 0..<5)
    func lost(side: Line.Side, number: Int) {
        let line = line()
        line.fate = { sender, count, datagram in sender == side && count == number ? [] : [(datagram, .zero)] }
        line.start()
        line.run()
        expectKeys(line)
        if number < 2 { #expect(line.active.counts.repetitions + line.passive.counts.repetitions > 0) }
    }

    @Test("§4.2.4: every flight may be lost once, from both sides", arguments: UInt64(1)...20)
    func lostFlights(seed: UInt64) {
        let line = line()
        var dice = Dice(state: seed)
        line.fate = { _, _, datagram in dice.next() % 3 == 0 ? [] : [(datagram, .zero)] }
        line.start()
        line.run()
        expectKeys(line, "seed \(seed)")
    }

    @Test("§4.2.4: repetitions come after 200 ms, and twice as late each time, whatever the clock on the wall says") func timer() {
        let line = line()
        var times: [Interval] = []
        let begin = line.now
        line.fate = { [unowned line] side, _, _ in
            if side == .active { times.append(line.now - begin) }
            return []
        }
        line.start()
        line.run(for: .seconds(8))
        #expect(Set(times).sorted() == [0, 200, 600, 1_400, 3_000, 6_000].map(Interval.milliseconds))
    }

    @Test("Nobody answers: it is over after 30 s, with no keys") func timedOut() throws {
        let line = line()
        line.fate = { _, _, _ in [] }
        line.start()
        line.run(for: .milliseconds(29_999))
        #expect(line.active.outcomes.isEmpty && line.passive.outcomes.isEmpty)
        line.run(for: .milliseconds(1))
        #expect(line.active.outcomes == [.failed(.timedOut(reason: nil))] && line.passive.outcomes == [.failed(.timedOut(reason: nil))])
        #expect(line.active.deadline == nil)
        line.inject(try #require(line.active.sent.first), to: .passive)
        #expect(line.passive.counts.ignored == 1 && line.passive.sent.isEmpty)
    }

    @Test("§4.2.2: reordered and doubled datagrams", arguments: UInt64(1)...10)
    func reordered(seed: UInt64) {
        // Small datagrams make many of them.
        let line = line(limits: Handshake.Limits(datagramLength: 256))
        var dice = Dice(state: seed)
        line.fate = { _, _, datagram in
            (0...Int(dice.next() % 2)).map { _ in (datagram, .milliseconds(Int(dice.next() % 60))) }
        }
        line.start()
        line.run()
        expectKeys(line, "seed \(seed)")
        #expect(line.passive.sent.count > 3 && (line.active.sent + line.passive.sent).allSatisfy { $0.count <= 256 })
    }

    @Test("No datagram is longer than 1200 bytes") func datagramLength() {
        let line = line()
        line.start()
        line.run()
        #expect((line.active.sent + line.passive.sent).allSatisfy { $0.count <= 1_200 })
    }

    @Test("§4.2.3: a ClientHello in two datagrams, as browsers send it, in either order", arguments: [false, true])
    func fragments(isReversed: Bool) throws {
        let line = line()
        line.fate = { side, number, datagram in
            guard side == .active, number == 0, let parts = Fragments.split(datagram, at: 60) else { return [(datagram, .zero)] }
            return [(parts.0, isReversed ? .milliseconds(1) : .zero), (parts.1, isReversed ? .zero : .milliseconds(1))]
        }
        line.start()
        line.run(for: .milliseconds(100))
        expectKeys(line)
        #expect(line.active.counts.repetitions == 0)
        let first = try #require(line.active.sent.first)
        let answer = try #require(line.passive.sent.first)
        let (isFirst, isAnswer) = (Handshake.isClientHello(first.span), Handshake.isClientHello(answer.span))
        #expect(isFirst && !isAnswer)
    }

    // MARK: Who it is

    @Test("RELIABILITY V5: a wrong fingerprint gives no keys, on either side", arguments: [Line.Side.active, .passive])
    func wrongFingerprint(side: Line.Side) throws {
        let wrong = Certificate.make(now: 1_800_000_000).fingerprint
        let line = side == .passive ? line(expecting: [wrong]) : line(activeExpecting: [wrong])
        line.start()
        line.run(for: .seconds(1))
        #expect(line.peer(side).outcomes == [.failed(.wrongFingerprint)])
        #expect(line.peer(side).keying == nil && !line.peer(side).isEstablished)
        line.inject(try #require(line.active.sent.first), to: side)
        #expect(line.peer(side).outcomes.count == 1)
    }

    @Test("RFC 8122 §5.1: any one of the strongest hash does, a weaker one does not count") func severalFingerprints() throws {
        let right = Self.here.certificate.fingerprint
        let wrong = Certificate.make(now: 0).fingerprint
        let weak = try #require(Fingerprint(.sha1, hash: Array(repeating: 1, count: 20)))
        for (expected, isRight) in [([wrong, right], true), ([weak, right], true), ([wrong], false), ([weak], false)] {
            let line = line(expecting: expected)
            line.start()
            line.run()
            #expect((line.passive.keying != nil) == isRight, "\(expected)")
        }
    }

    @Test("RFC 8842 §5.1: keys wait for the fingerprint when the answer is late") func lateFingerprint() {
        for isRight in [true, false] {
            let line = line(expecting: [])
            line.start()
            line.run(for: .seconds(2))
            #expect(line.passive.outcomes.isEmpty && line.active.keying != nil && line.passive.deadline == nil)
            let expected = isRight ? Self.here.certificate.fingerprint : Self.there.certificate.fingerprint
            line.act(.passive) { peer, _ in peer.handshake.expect([expected]) }
            if isRight { expectKeys(line) } else { #expect(line.passive.outcomes == [.failed(.wrongFingerprint)]) }
        }
    }

    // MARK: Bad input

    @Test("Garbage, cut records and alerts between the flights change nothing (RELIABILITY V4)", arguments: UInt64(1)...10)
    func garbage(seed: UInt64) {
        let line = line()
        var dice = Dice(state: seed)
        line.fate = { _, _, datagram in
            var copies: [(datagram: [UInt8], delay: Interval)] = [(datagram, .milliseconds(1))]
            copies.append((Array(datagram.prefix(Int(dice.next() % UInt64(datagram.count)))), .zero))
            copies.append(((0..<Int(dice.next() % 100)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }, .zero))
            // fatal, handshake_failure; warning, close_notify
            copies.append(([21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40], .zero))
            copies.append(([21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0], .zero))
            // A protected record of nobody's keys.
            copies.append(([22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 40] + (0..<40).map { _ in UInt8(truncatingIfNeeded: dice.next()) }, .zero))
            return copies
        }
        line.start()
        line.run()
        expectKeys(line, "seed \(seed)")
        #expect(line.passive.counts.alerts > 0 && line.passive.counts.malformed > 0)
    }

    @Test("A failed attempt makes room for the next, and is told to nobody (RELIABILITY V4)", arguments: [Line.Side.passive, .active])
    func nextAttempt(side: Line.Side) throws {
        let line = line()
        line.start()
        // A ClientHello whose body is nonsense; a ServerHello of a version that does not exist.
        let nonsense: [UInt8] = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52, side == .passive ? 1 : 2, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40]
        line.inject(nonsense + [UInt8](repeating: 0xff, count: 40), to: side)
        let sent = line.peer(side).sent.count
        #expect(line.peer(side).counts.failedAttempts == 1 && line.peer(side).outcomes.isEmpty)
        #expect(sent == (side == .passive ? 0 : 1), "no alert")
        line.run()
        expectKeys(line)
    }

    @Test("RFC 6347 §4.2.1: a HelloVerifyRequest of somebody else delays, and that is all") func forgedCookie() {
        let line = line()
        line.start()
        line.inject([22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 19, 3, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 7, 0xfe, 0xff, 4, 1, 2, 3, 4], to: .active)
        #expect(line.active.sent.count == 2, "it is followed")
        line.run()
        expectKeys(line)
    }

    /// What was said in another handshake, record by record (RFC 6347 §4.1).
    private func records(of side: Line.Side) -> [[UInt8]] {
        let other = line()
        other.start()
        other.run()
        return other.peer(side).sent.flatMap { datagram in
            var records: [[UInt8]] = []
            var rest = datagram[...]
            while rest.count > 13 {
                records.append(Array(rest.prefix(13 + Int(rest[rest.startIndex + 11]) << 8 + Int(rest[rest.startIndex + 12]))))
                rest = rest.dropFirst(records[records.count - 1].count)
            }
            return records
        }
    }

    @Test("What another server has said delays, and that is all (RELIABILITY V4)", arguments: 0..<6, 0..<6)
    func foreignFlight(first: Int, last: Int) {
        let line = line()
        line.start()
        for (number, record) in records(of: .passive).enumerated() where number >= first && number <= max(first, last) { line.inject(record, to: .active) }
        line.run()
        expectKeys(line)
    }

    @Test("What another client has said delays, and that is all (RELIABILITY V4)", arguments: 0..<6, [0, 41])
    func foreignAnswer(first: Int, milliseconds: Int) {
        let line = line()
        line.start()
        line.run(for: .milliseconds(milliseconds))
        for record in records(of: .active).dropFirst(first) { line.inject(record, to: .passive) }
        line.run()
        expectKeys(line)
    }

    @Test("A ClientHello with a record number far ahead does not make repetitions of all that follows (RELIABILITY V4)", arguments: [0, 41])
    func numberFarAhead(milliseconds: Int) {
        // As the fuzzer made it: record 0x2b400, message 246.
        let text = ""
            + "16feff000000000002b40000cb010000bf00f60000000000bffefdec6199cd4fb60db3fe001d0017f807d623c6016bb009e99eacdfefcd5f3fbaab29"
            + "e9e4cf00000030c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c003500"
            + "2f00ff0100005d000b000403000102000a000c000a001d0017001e0019001800230000000e0007000400070016feff000000000000000000cb010000"
            + "bf00000000000000bffefdec6199cd4fb60db3fe001d0017f807d623c6016bb009e99eac"
        let datagram = stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
        #expect(datagram.count == 216)
        let line = line()
        line.start()
        line.run(for: .milliseconds(milliseconds))
        line.inject(datagram, to: .passive)
        line.inject(datagram, to: .active)
        line.run()
        expectKeys(line)
    }

    @Test("RFC 6347 §4.2.8: a client that begins anew is followed once its first attempt stands still", arguments: [0, 1_500])
    func begunAnew(milliseconds: Int) {
        let line = line()
        // The first flight of the passive side is lost, and with it the client.
        line.fate = { side, _, datagram in side == .passive ? [] : [(datagram, .zero)] }
        line.start()
        line.run(for: .milliseconds(30 + milliseconds))
        let other = Line(
            Handshake(Self.here, role: .active, fingerprints: [Self.there.certificate.fingerprint]),
            Handshake(Self.there, role: .passive, fingerprints: []))
        other.fate = { _, _, _ in [] }
        other.start()
        for datagram in other.active.sent { line.inject(datagram, to: .passive) }
        #expect(line.passive.counts.failedAttempts == (milliseconds > 1_000 ? 1 : 0))
        line.fate = { _, _, datagram in [(datagram, .zero)] }
        line.run()
        expectKeys(line)
    }

    @Test("A flood of nonsense makes it send nothing") func flood() {
        let line = line()
        line.start()
        let before = line.passive.sent.count
        for number in 0..<500 {
            let hello: [UInt8] = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255), 0, 52, 1, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40]
            line.inject(hello + [UInt8](repeating: UInt8(number & 255), count: 40), to: .passive)
        }
        #expect(line.passive.sent.count == before && line.passive.counts.failedAttempts > 0)
        line.run()
        expectKeys(line)
    }

    @Test("After it is established nothing but a protected goodbye ends it") func closing() {
        let line = line()
        line.start()
        line.run()
        expectKeys(line)
        line.inject([21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0], to: .passive)
        line.inject(Array(repeating: 0x16, count: 100), to: .passive)
        for datagram in line.active.sent { line.inject(datagram, to: .passive) }
        #expect(line.passive.isEstablished)
        line.act(.active) { peer, outbox in
            peer.handshake.close(into: &outbox)
            return .none
        }
        line.run()
        #expect(line.passive.outcomes.last == .closed && !line.passive.isEstablished && !line.active.isEstablished)
    }
}

/// A handshake message cut in two (RFC 6347 §4.2.3).
enum Fragments {
    private static let headers = 25

    /// The only message of a datagram, cut behind `length` bytes of its body; nil when there is more than one.
    static func split(_ datagram: [UInt8], at length: Int) -> ([UInt8], [UInt8])? {
        guard datagram.count > headers + length, Int(datagram[11]) << 8 | Int(datagram[12]) == datagram.count - 13 else { return nil }
        func fragment(_ range: Range<Int>, number: UInt8) -> [UInt8] {
            var bytes = Array(datagram.prefix(headers))
            bytes[10] = number
            let whole = range.count + 12
            (bytes[11], bytes[12]) = (UInt8(whole >> 8), UInt8(whole & 255))
            (bytes[19], bytes[20], bytes[21]) = (0, UInt8(range.lowerBound >> 8), UInt8(range.lowerBound & 255))
            (bytes[22], bytes[23], bytes[24]) = (0, UInt8(range.count >> 8), UInt8(range.count & 255))
            return bytes + datagram[(headers + range.lowerBound)..<(headers + range.upperBound)]
        }
        // The number of a record is used once: the second is far from those the client itself goes on with.
        return (fragment(0..<length, number: 0), fragment(length..<(datagram.count - headers), number: 60))
    }
}
