import Bytes
import Cryptography
import Testing

@Suite("Cryptography")
struct CryptographyTests {
    @Test(
        "Published digests: RFC 1321 §A.5, FIPS 180-4",
        arguments: [
            (DigestAlgorithm.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (.sha512_256, "abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ])
    func digests(_ algorithm: DigestAlgorithm, _ text: String, _ digest: String) {
        #expect(Hexadecimal.encode(algorithm.hash(text)) == digest)
    }

    @Test("RFC 2202 §2 and §3, RFC 4231 §4.3: keyed digests")
    func keyedDigests() {
        let (key, text) = (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        let table: [(DigestAlgorithm, String)] = [
            (.md5, "750c783e6ab0b503eaa86e310a5db738"),
            (.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ]
        for (algorithm, code) in table { #expect(Hexadecimal.encode(algorithm.authenticate(text, key: key)) == code) }
    }

    private let key = (UInt8(0)..<32).map { $0 }
    private let nonce = [UInt8](repeating: 9, count: SealedBox.nonceLength)

    @Test("What was sealed opens with the same key and context", arguments: [0, 1, 16, 1000])
    func sealAndOpen(_ length: Int) throws {
        let secret = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let box = try SealedBox.seal(secret, key: key, nonce: nonce, context: Array("call_1".utf8))
        #expect(box.count == length + 28)
        #expect(try SealedBox.open(box, key: key, context: Array("call_1".utf8)) == secret)
    }

    @Test("A changed bit anywhere, another key or another context opens nothing")
    func tampering() throws {
        let box = try SealedBox.seal([1, 2, 3], key: key, nonce: nonce, context: [1])
        for index in box.indices {
            var changed = box
            changed[index] ^= 1
            #expect(throws: SealError.unauthentic) { try SealedBox.open(changed, key: key, context: [1]) }
        }
        #expect(throws: SealError.unauthentic) { try SealedBox.open(box, key: key.reversed(), context: [1]) }
        #expect(throws: SealError.unauthentic) { try SealedBox.open(box, key: key, context: [2]) }
        #expect(throws: SealError.truncated) { try SealedBox.open(Array(box.prefix(27)), key: key) }
        #expect(throws: SealError.wrongKeyLength) { try SealedBox.open(box, key: [1]) }
    }

    @Test("Comparison in constant time still compares")
    func constantTime() {
        #expect(equalInConstantTime([], []))
        #expect(equalInConstantTime([1, 2], [1, 2]))
        #expect(!equalInConstantTime([1, 2], [1, 3]))
        #expect(!equalInConstantTime([1, 2], [1, 2, 3]))
    }
}

@Suite("SipHash")
struct SipHashTests {
    /// Key 00 to 0f, messages of as many ascending bytes; checked against the implementation of OpenSSL.
    @Test(
        "SipHash-2-4 gives the codes its authors published",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
            (15, "5493e99933b0a8117e08ec0f97cfc3d9"), (24, "2db479ae78bd50d8882a8a178a6132ad"),
        ])
    func vectors(length: Int, expected: String) {
        let message = (0..<length).map { UInt8($0) }
        let code = SipHash(key: (0..<16).map { UInt8($0) }).code(message.span)
        let bytes = [code.low, code.high].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * UInt64($0))) } }
        #expect(Hexadecimal.encode(bytes) == expected)
    }

    @Test("A chain depends on every part, on their order and on where one ends")
    func chain() {
        let hash = SipHash(key: [UInt8](repeating: 7, count: 16))
        func code(_ parts: String...) -> SipHash.Code {
            var chain = hash.chain()
            for part in parts { chain.absorb(Array(part.utf8).span) }
            return chain.code()
        }
        #expect(code("a", "b").isEqual(to: code("a", "b")))
        #expect(code("a") == hash.code([UInt8(ascii: "a")].span))
        let others = [code("b", "a"), code("ab"), code("b"), code("ab", ""), code("", "ab"), code("a", "b", "")]
        for other in others { #expect(other != code("a", "b")) }
        #expect(Set(others).count == others.count)
    }
}
