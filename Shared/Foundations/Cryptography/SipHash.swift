internal import Bytes

/// SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012): a keyed code for short words.
///
/// The only primitive here that is not OpenSSL's: a token is signed or checked in every SIP message, and OpenSSL's own takes an
/// allocation and twenty times as long for it.
public struct SipHash: Sendable {
    public struct Code: Hashable, Sendable {
        public let low: UInt64
        public let high: UInt64

        public init(low: UInt64, high: UInt64) { (self.low, self.high) = (low, high) }

        /// Compares in a time that tells nothing.
        public func isEqual(to other: Code) -> Bool { (low ^ other.low) | (high ^ other.high) == 0 }
    }

    private let first: UInt64
    private let second: UInt64

    /// The first 16 bytes of `key`.
    public init(key: [UInt8]) {
        precondition(key.count >= 16, "a key has 16 bytes")
        (first, second) = (key.span.word(at: 0), key.span.word(at: 8))
    }

    private init(_ first: UInt64, _ second: UInt64) { (self.first, self.second) = (first, second) }

    public func code(_ bytes: Span<UInt8>) -> Code {
        var chain = chain()
        chain.absorb(bytes)
        return chain.code()
    }

    /// A code over several parts, each told from its neighbours by its length.
    public func chain() -> Chain { Chain(State(first, second), isLight: false) }

    /// One round a word instead of two (SipHash-1-3): enough where no one gains by a forgery, as in hash tables.
    public func lightChain() -> Chain { Chain(State(first, second), isLight: true) }

    public struct Chain {
        private var state: State
        private let isLight: Bool

        fileprivate init(_ state: State, isLight: Bool) { (self.state, self.isLight) = (state, isLight) }

        public mutating func absorb(_ bytes: Span<UInt8>) {
            let whole = bytes.count & ~7
            var index = 0
            if isLight {
                while index < whole {
                    state.absorbLightly(bytes.word(at: index))
                    index &+= 8
                }
            }
            while index < whole {
                state.absorb(bytes.word(at: index))
                index &+= 8
            }
            var last = UInt64(truncatingIfNeeded: bytes.count) << 56
            if bytes.count >= 8, index < bytes.count {
                // The rest stands on top of the last eight bytes.
                last |= bytes.word(at: bytes.count &- 8) &>> UInt64(truncatingIfNeeded: 64 &- 8 &* (bytes.count &- index))
                index = bytes.count
            }
            var shift: UInt64 = 0
            while index < bytes.count {
                last |= UInt64(bytes[index]) &<< shift
                shift &+= 8
                index &+= 1
            }
            state.absorb(last)
        }

        public mutating func absorb(_ number: UInt64) { state.absorb(number) }

        public func code() -> Code {
            var state = state
            return state.finish()
        }
    }

    fileprivate struct State {
        var v0, v1, v2, v3: UInt64

        @inline(__always)
        init(_ first: UInt64, _ second: UInt64) {
            (v0, v1) = (first ^ 0x736f_6d65_7073_6575, second ^ 0x646f_7261_6e64_6f6d ^ 0xee)
            (v2, v3) = (first ^ 0x6c79_6765_6e65_7261, second ^ 0x7465_6462_7974_6573)
        }

        @inline(__always)
        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        @inline(__always)
        mutating func absorbLightly(_ word: UInt64) {
            v3 ^= word
            round()
            v0 ^= word
        }

        @inline(__always)
        mutating func finish() -> Code {
            v2 ^= 0xee
            for _ in 0..<4 { round() }
            let low = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xdd
            for _ in 0..<4 { round() }
            return Code(low: low, high: v0 ^ v1 ^ v2 ^ v3)
        }

        @inline(__always)
        private mutating func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
            v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
            v0 = v0 &<< 32 | v0 &>> 32
            v2 &+= v1
            v0 &+= v3
            v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
            v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
            v2 = v2 &<< 32 | v2 &>> 32
        }
    }
}
