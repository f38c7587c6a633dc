internal import Cryptography
internal import STUN

/// Numbers nobody can guess, from one random key (RFC 8489 §5 asks for 96 such bits in a transaction).
struct TransactionSource: Sendable {
    private let hash: SipHash
    private var counter: UInt64 = 0

    init(random: (UInt64, UInt64)) {
        hash = SipHash(key: [random.0, random.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } })
    }

    mutating func next() -> TransactionID {
        let code = advance()
        return TransactionID(high: UInt32(truncatingIfNeeded: code.high), low: code.low)
    }

    mutating func number() -> UInt64 { advance().low }

    private mutating func advance() -> SipHash.Code {
        counter &+= 1
        var chain = hash.chain()
        chain.absorb(counter)
        return chain.code()
    }
}
