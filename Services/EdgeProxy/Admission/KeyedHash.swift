/// SipHash-1-3 (Aumasson and Bernstein, 2012) under a random key: who does not know the key cannot choose sources or names
/// that meet in one place of a table.
struct KeyedHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    /// Both halves of the key come from a random source.
    init(key first: UInt64, _ second: UInt64) { (self.first, self.second) = (first, second) }

    func hash(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var state = State(first, second)
        state.absorb(left)
        state.absorb(right)
        return state.finish(16 << 56)
    }

    func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var state = State(first, second)
        for index in bytes.indices { state.absorb(bytes[index]) }
        return state.finish()
    }

    /// `user@domain`, the user as it is and the domain in lower case.
    func hash(user: some StringProtocol, domain: some StringProtocol) -> UInt64 {
        var state = State(first, second)
        for byte in user.utf8 { state.absorb(byte) }
        state.absorb(UInt8(ascii: "@"))
        for byte in domain.utf8 { state.absorb(byte &- 65 < 26 ? byte | 32 : byte) }
        return state.finish()
    }

    private struct State {
        private var a: UInt64
        private var b: UInt64
        private var c: UInt64
        private var d: UInt64
        private var word: UInt64 = 0
        private var count: UInt64 = 0

        init(_ first: UInt64, _ second: UInt64) {
            a = first ^ 0x736f_6d65_7073_6575
            b = second ^ 0x646f_7261_6e64_6f6d
            c = first ^ 0x6c79_6765_6e65_7261
            d = second ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ byte: UInt8) {
            word |= UInt64(byte) << ((count & 7) << 3)
            count &+= 1
            if count & 7 == 0 {
                absorb(word)
                word = 0
            }
        }

        mutating func absorb(_ block: UInt64) {
            d ^= block
            round()
            a ^= block
        }

        /// Bytes that do not fill a block, with the length above them.
        mutating func finish() -> UInt64 { finish(word | count << 56) }

        mutating func finish(_ last: UInt64) -> UInt64 {
            absorb(last)
            c ^= 0xff
            round()
            round()
            round()
            return a ^ b ^ c ^ d
        }

        private mutating func round() {
            a &+= b
            b = (b << 13 | b >> 51) ^ a
            a = a << 32 | a >> 32
            c &+= d
            d = (d << 16 | d >> 48) ^ c
            a &+= d
            d = (d << 21 | d >> 43) ^ a
            c &+= b
            b = (b << 17 | b >> 47) ^ c
            c = c << 32 | c >> 32
        }
    }
}
