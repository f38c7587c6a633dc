import Testing

@testable import SRTP

private let key = MasterKey(.aeadAES128GCM, keyAndSalt: (1...28).map { UInt8($0) })
private let other = MasterKey(.aeadAES128GCM, keyAndSalt: (2...29).map { UInt8($0) })

private func packet(_ sequence: UInt16, ssrc: UInt8 = 9, filling: UInt8) -> [UInt8] {
    [0x80, 0, UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence), 0, 0, 0, 160, 0, 0, 0, ssrc] + [UInt8](repeating: filling, count: 40)
}

private func protect(_ context: inout Context, _ plain: [UInt8]) throws -> [UInt8] {
    var bytes = plain + [UInt8](repeating: 0, count: 32)
    var span = bytes.mutableSpan
    let length = try context.protect(&span, count: plain.count)
    return Array(bytes.prefix(length))
}

private func unprotect(_ context: inout Context, _ wire: [UInt8]) -> Result<Int, Failure> {
    var bytes = wire
    var span = bytes.mutableSpan
    return Result { () throws(Failure) in try context.unprotect(&span, count: wire.count) }
}

@Suite("SRTP: a successor that shares the memory of positions (RELIABILITY V27)")
struct SRTPPositionTests {
    /// The position is written after a packet was protected and before it is sent: a death lies before, between or behind these.
    @Test("No index protects twice, whenever the sender dies, over wraps of the sequence number", arguments: 0..<40)
    func noIndexTwice(seed: UInt64) throws {
        let (key, other) = try (#require(key), #require(other))
        var random = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func draw(_ bound: UInt64) -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random % bound
        }
        var far = Context(sending: other, receiving: key)
        var sender = Context(sending: key, receiving: other)
        var shared: Position?
        var sequence = UInt16(65_535 - 300 + draw(200))
        var sent: [[UInt8]: [UInt8]] = [:]
        var (heard, count) = (0, 0)
        for number in 0..<1_000 {
            sequence &+= 1
            let plain = packet(sequence, filling: UInt8(truncatingIfNeeded: number))
            let wire = try protect(&sender, plain)
            let fate = draw(50)
            if fate != 0 { shared = sender.position() }
            if fate > 1 {
                count += 1
                // Two packets under one index differ only by a broken promise: the first bytes of a GCM packet tell its index.
                let index = Array(wire[2..<4]) + [UInt8(number / 65_536)]
                if let before = sent.updateValue(wire, forKey: index) { #expect(before == wire) }
                if case .success = unprotect(&far, wire) { heard += 1 }
            }
            // A third of the deaths come right here.
            if fate < 3 {
                sender = Context(sending: key, receiving: other, sent: shared, received: shared)
                // The stream goes on with the number that the memory shows, which may be one behind what was never sent.
                if fate == 0, let kept = shared { sequence = UInt16(truncatingIfNeeded: kept.sending[0].highest) }
            }
        }
        #expect(heard == count && count > 900)
    }

    @Test("RFC 3711 §3.3.2: what the dead one received is a repetition for its successor, what it missed is not")
    func replay() throws {
        let (key, other) = try (#require(key), #require(other))
        var far = Context(sending: other, receiving: key)
        var receiver = Context(sending: key, receiving: other)
        var wires: [[UInt8]] = []
        for sequence in UInt16(100)..<300 { wires.append(try protect(&far, packet(sequence, filling: 1))) }
        for (index, wire) in wires.enumerated() where index != 190 { _ = unprotect(&receiver, wire) }
        var successor = Context(sending: key, receiving: other, sent: nil, received: receiver.position())
        for (index, wire) in wires.enumerated() where index != 190 { #expect(unprotect(&successor, wire) == .failure(.replayed)) }
        #expect(unprotect(&successor, wires[190]) == .success(52))
        let next = try protect(&far, packet(300, filling: 1))
        #expect(unprotect(&successor, next) == .success(52))
    }

    @Test("RFC 3711 §3.4: the index of control packets goes on, and theirs are not taken twice")
    func control() throws {
        let (key, other) = try (#require(key), #require(other))
        func report(_ context: inout Context) throws -> [UInt8] {
            var bytes: [UInt8] = [0x81, 201, 0, 1, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 32)
            var span = bytes.mutableSpan
            let length = try context.protectControl(&span, count: 8)
            return Array(bytes.prefix(length))
        }
        func take(_ context: inout Context, _ wire: [UInt8]) -> Result<Int, Failure> {
            var bytes = wire
            var span = bytes.mutableSpan
            return Result { () throws(Failure) in try context.unprotectControl(&span, count: wire.count) }
        }
        var far = Context(sending: other, receiving: key)
        var sender = Context(sending: key, receiving: other)
        var all: Set<[UInt8]> = []
        for _ in 0..<5 { all.insert(try report(&sender)) }
        var successor = Context(sending: key, receiving: other, sent: sender.position(), received: sender.position())
        for _ in 0..<5 { all.insert(try report(&successor)) }
        #expect(all.count == 10)
        for wire in all.sorted(by: { $0.suffix(20).lexicographicallyPrecedes($1.suffix(20)) }) { _ = take(&far, wire) }
        var later = Context(sending: other, receiving: key, sent: nil, received: far.position())
        for wire in all { #expect(take(&later, wire) == .failure(.replayed)) }
    }
}
