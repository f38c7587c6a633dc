/// How the packets of RTP or of RTCP are encrypted and authenticated under one set of session keys.
struct Transform: ~Copyable {
    // None of these is private: optimised builds of other modules, which destroy one, would not find its metadata (Swift 6.3).
    enum Cipher: ~Copyable {
        case counterMode(Counter)
        case galois(Galois)
    }

    struct Counter: ~Copyable {
        let stream: CounterMode
        let code: KeyedSHA1
        let saltHigh: UInt64
        let saltLow: UInt64

        /// RFC 3711 §4.1.1: salt, SSRC and index over each other, above 16 bits that count blocks.
        @inline(__always)
        func apply(to packet: inout MutableSpan<UInt8>, from clear: Int, to end: Int, ssrc: UInt32, index: UInt64) {
            stream.apply(to: &packet, from: clear, to: end, high: saltHigh ^ UInt64(ssrc), low: saltLow ^ index &<< 16)
        }
    }

    struct Galois: ~Copyable {
        let mode: GaloisCounterMode
        let saltHigh: UInt32
        let saltLow: UInt64

        /// RFC 7714 §8.1, §9.1: two zero bytes, SSRC and index, with the salt over them.
        @inline(__always)
        func nonce(_ ssrc: UInt32, _ index: UInt64) -> GaloisCounterMode.Nonce {
            GaloisCounterMode.Nonce(high: saltHigh ^ ssrc &>> 16, low: saltLow ^ (UInt64(ssrc) &<< 48 | index))
        }
    }

    private let cipher: Cipher
    let tagLength: Int

    /// RTCP encrypts what follows its first header and SSRC (RFC 3711 §3.4).
    static let controlHeaderLength = 8
    private static let isEncrypted: UInt32 = 1 << 31

    init(_ suite: Suite, _ keys: SessionKeys, tagLength: Int) {
        self.tagLength = tagLength
        let salt = keys.salt + [UInt8](repeating: 0, count: 16 - keys.salt.count)
        if suite.isAEAD {
            let mode = GaloisCounterMode(key: keys.encryption)
            cipher = .galois(Galois(mode: mode, saltHigh: salt.span.bigEndian32(at: 0), saltLow: salt.span.bigEndian64(at: 4)))
        } else {
            cipher = .counterMode(
                Counter(
                    stream: CounterMode(key: keys.encryption), code: KeyedSHA1(key: keys.authentication),
                    saltHigh: salt.span.bigEndian64(at: 0), saltLow: salt.span.bigEndian64(at: 8)))
        }
    }

    init(_ master: MasterKey, for purpose: SessionKeys.Purpose) {
        let length = purpose == .rtp ? master.suite.tagLength : master.suite.controlTagLength
        self.init(master.suite, SessionKeys(master, for: purpose), tagLength: length)
    }

    // MARK: RTP

    /// The new length of a packet whose header ends at `clear` and which ends at `end`.
    func protect(_ packet: inout MutableSpan<UInt8>, clear: Int, end: Int, ssrc: UInt32, index: UInt64) -> Int {
        switch cipher {
        case .counterMode(let counter):
            counter.apply(to: &packet, from: clear, to: end, ssrc: ssrc, index: index)
            counter.code.sign(&packet, count: end, rollover: UInt32(truncatingIfNeeded: index &>> 16), length: tagLength)
        case .galois(let galois):
            galois.mode.seal(&packet, clear: clear, end: end, nonce: galois.nonce(ssrc, index), word: nil)
        }
        return end &+ tagLength
    }

    /// Whether the tag behind `end` is right; then the packet is clear.
    func unprotect(_ packet: inout MutableSpan<UInt8>, clear: Int, end: Int, ssrc: UInt32, index: UInt64) -> Bool {
        switch cipher {
        case .counterMode(let counter):
            let rollover = UInt32(truncatingIfNeeded: index &>> 16)
            guard counter.code.verifies(packet.span, count: end, rollover: rollover, length: tagLength) else { return false }
            counter.apply(to: &packet, from: clear, to: end, ssrc: ssrc, index: index)
            return true
        case .galois(let galois):
            return galois.mode.open(&packet, clear: clear, end: end, nonce: galois.nonce(ssrc, index), word: nil)
        }
    }

    // MARK: RTCP

    /// Where the word with E and the index lies in a protected packet that ends at `end`: in front of the tag, or behind that of an
    /// AEAD (RFC 3711 §3.4, RFC 7714 §9.1).
    func place(ofWordIn end: Int) -> Int {
        switch cipher {
        case .counterMode: end &- tagLength &- 4
        case .galois: end &- 4
        }
    }

    /// The new length of a packet that ends at `end`.
    func protectControl(_ packet: inout MutableSpan<UInt8>, end: Int, ssrc: UInt32, index: UInt32, isEncrypting: Bool = true) -> Int {
        let word = index | (isEncrypting ? Self.isEncrypted : 0)
        let clear = isEncrypting ? Self.controlHeaderLength : end
        let index = UInt64(index)
        switch cipher {
        case .counterMode(let counter):
            counter.apply(to: &packet, from: clear, to: end, ssrc: ssrc, index: index)
            packet.write(bigEndian: word, at: end)
            counter.code.sign(&packet, count: end &+ 4, rollover: nil, length: tagLength)
        case .galois(let galois):
            galois.mode.seal(&packet, clear: clear, end: end, nonce: galois.nonce(ssrc, index), word: word)
            packet.write(bigEndian: word, at: end &+ tagLength)
        }
        return end &+ 4 &+ tagLength
    }

    /// Whether the tag is right; then the packet, which ends at `end` without tag and word, is clear.
    func unprotectControl(_ packet: inout MutableSpan<UInt8>, end: Int, ssrc: UInt32, word: UInt32) -> Bool {
        let clear = word & Self.isEncrypted != 0 ? Self.controlHeaderLength : end
        let index = UInt64(word & ~Self.isEncrypted)
        switch cipher {
        case .counterMode(let counter):
            guard counter.code.verifies(packet.span, count: end &+ 4, rollover: nil, length: tagLength) else { return false }
            counter.apply(to: &packet, from: clear, to: end, ssrc: ssrc, index: index)
            return true
        case .galois(let galois):
            return galois.mode.open(&packet, clear: clear, end: end, nonce: galois.nonce(ssrc, index), word: word)
        }
    }
}
