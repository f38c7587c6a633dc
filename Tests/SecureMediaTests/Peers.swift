import Bytes
import RTP
import SRTP

/// Contexts with packets as arrays.
final class Sender {
    var context: SendingContext

    init(_ context: consuming SendingContext) { self.context = context }
    convenience init(_ master: MasterKey, limits: Limits = Limits()) { self.init(SendingContext(master, limits: limits)) }

    // An expectation takes no part of a context that cannot be copied.
    var needsReservation: Bool { context.needsReservation }
    func reserve() -> Reservation { context.reserve() }
    func nextSequence(of ssrc: SSRC) -> SequenceNumber? { context.nextSequence(of: ssrc) }

    func protect(_ packet: [UInt8]) throws(Failure) -> [UInt8] {
        var buffer = packet + [UInt8](repeating: 0xee, count: context.suite.tagLength)
        var span = buffer.mutableSpan
        let length = try context.protect(&span, count: packet.count)
        return Array(buffer.prefix(length))
    }

    func protectControl(_ packet: [UInt8]) throws(Failure) -> [UInt8] {
        var buffer = packet + [UInt8](repeating: 0xee, count: context.suite.controlOverhead)
        var span = buffer.mutableSpan
        let length = try context.protectControl(&span, count: packet.count)
        return Array(buffer.prefix(length))
    }
}

final class Receiver {
    var context: ReceivingContext
    /// What lay in the buffer after the last packet.
    private(set) var buffer: [UInt8] = []

    init(_ context: consuming ReceivingContext) { self.context = context }
    convenience init(_ master: MasterKey, limits: Limits = Limits()) { self.init(ReceivingContext(master, limits: limits)) }

    var snapshot: ReceivingSnapshot { context.snapshot }

    func unprotect(_ packet: [UInt8]) throws(Failure) -> [UInt8] {
        buffer = packet
        var span = buffer.mutableSpan
        let length = try context.unprotect(&span, count: packet.count)
        return Array(buffer.prefix(length))
    }

    func unprotectControl(_ packet: [UInt8]) throws(Failure) -> [UInt8] {
        buffer = packet
        var span = buffer.mutableSpan
        let length = try context.unprotectControl(&span, count: packet.count)
        return Array(buffer.prefix(length))
    }
}

enum Sample {
    static func master(_ suite: Suite, seed: UInt8 = 1) -> MasterKey {
        let bytes = (0..<(suite.keyLength + suite.saltLength)).map { UInt8(truncatingIfNeeded: $0 &* 7) &+ seed }
        guard let master = MasterKey(suite, keyAndSalt: bytes) else { preconditionFailure("as many bytes as the suite wants") }
        return master
    }

    /// A packet whose payload says which one it is; with contributors and an extension, when `isLong`.
    static func packet(_ sequence: UInt16, ssrc: UInt32 = 0xcafe_babe, payload: Int = 160, isLong: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = [isLong ? 0x92 : 0x80, 0, UInt8(sequence >> 8), UInt8(sequence & 255), 0, 0, 1, 2]
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: ssrc >> UInt32(shift))) }
        if isLong { bytes += [1, 2, 3, 4, 5, 6, 7, 8, 0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x20, 0xbb, 0, 0, 0, 0] }
        return bytes + (0..<payload).map { UInt8(truncatingIfNeeded: $0 &+ Int(sequence)) }
    }

    /// A receiver report and a source description, after each other.
    static func report(ssrc: UInt32 = 0xcafe_babe, number: UInt8 = 0) -> [UInt8] {
        let source = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: ssrc >> UInt32($0)) }
        return [0x80, 201, 0, 1] + source + [0x81, 202, 0, 3] + source + [1, 4, number, 98, 99, 100, 0, 0]
    }

    static func bytes(_ hexadecimal: String) -> [UInt8] {
        guard let bytes = Hexadecimal.decode(hexadecimal.utf8.filter { $0 != 32 }) else { preconditionFailure("hexadecimal digits") }
        return bytes
    }
}

/// The same numbers every time.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
