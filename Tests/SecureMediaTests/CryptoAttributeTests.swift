import SRTP
import Testing

private let key30 = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
private let key46 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ=="

@Suite("SDES: a=crypto (RFC 4568)")
struct CryptoAttributeTests {
    @Test(
        "§9.1: what is read is printed the same",
        arguments: [
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20",
            "2 AES_CM_128_HMAC_SHA1_32 inline:\(key30)|2^20|1:4",
            "2 AES_CM_128_HMAC_SHA1_32 inline:\(key30)|1:4",
            "999999999 AES_256_CM_HMAC_SHA1_80 inline:\(key46)|1000",
            "3 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==",
            "4 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20|1:4;inline:\(key30)|2^20|2:4",
        ])
    func printed(text: String) throws {
        #expect(try CryptoAttribute(parsing: text).description == text)
    }

    @Test("§6.1: key, salt, lifetime and identifier") func parts() throws {
        let line = try CryptoAttribute(parsing: "7\tAES_CM_128_HMAC_SHA1_80  inline:\(key30)|2^31|66051:4 WSH=64 -FUTURE=x")
        #expect(line.tag == 7 && line.suite == .aes128CounterModeSHA1_80)
        let key = try #require(line.keys.first)
        #expect(key.master.key == Array("=-n@%^x!Bjufr9)?".utf8) && key.master.salt == Array(",#5h\\`=&]{qiPQ".utf8))
        #expect(key.lifetime == 1 << 31 && key.identifier == CryptoAttribute.Identifier(value: 66_051, length: 4))
        #expect(line.key == nil, "its packets carry an identifier")
        #expect(try CryptoAttribute(parsing: "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^31").key == key.master)
    }

    @Test("§9.2: suite and method are read in any case") func anyCase() throws {
        let line = try CryptoAttribute(parsing: "1 aes_cm_128_hmac_sha1_80 INLINE:\(key30)")
        #expect(line.description == "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)")
    }

    @Test(
        "§6.3: what is not done is passed over",
        arguments: [
            "KDR=0", "KDR=1", "UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP", "FEC_ORDER=FEC_SRTP",
            "FEC_KEY=inline:\(key30)", "WSH=64 NEW=1", "wsh=64",
        ])
    func unsupported(parameters: String) {
        #expect(throws: CryptoAttribute.ParseError.unsupportedParameter) {
            try CryptoAttribute(parsing: "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30) \(parameters)")
        }
    }

    @Test("§5.1.2: an unknown suite is passed over", arguments: ["F8_128_HMAC_SHA1_80", "NULL_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_8"])
    func unknownSuite(name: String) {
        #expect(throws: CryptoAttribute.ParseError.unknownSuite) { try CryptoAttribute(parsing: "1 \(name) inline:\(key30)") }
    }

    @Test(
        "What is malformed is refused",
        arguments: [
            "", "1", "1 AES_CM_128_HMAC_SHA1_80", "0 AES_CM_128_HMAC_SHA1_80 inline:\(key30)", "01 AES_CM_128_HMAC_SHA1_80 inline:\(key30)",
            "1000000000 AES_CM_128_HMAC_SHA1_80 inline:\(key30)", "-1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)",
            "1 AES_CM_128_HMAC_SHA1_80 \(key30)", "1 AES_CM_128_HMAC_SHA1_80 inline:", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30.dropLast())",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key46)", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|0",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^64", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20|1:0",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20|1:129", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|1:4|2^20",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20|1:4|x", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30);",
            "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|99999999999999999999", "1 AES_CM_128_HMAC_SHA1_80 inline:****************************************",
        ])
    func malformed(text: String) {
        #expect(throws: CryptoAttribute.ParseError.malformed) { try CryptoAttribute(parsing: text) }
    }

    @Test("A line of ours is made of as many random bytes as its suite wants, and is understood", arguments: SRTP.Suite.allCases)
    func made(suite: SRTP.Suite) throws {
        let random = Array(UInt8(0)..<UInt8(suite.keyLength + suite.saltLength))
        let line = try #require(CryptoAttribute(tag: 3, suite, random: random))
        let read = try CryptoAttribute(parsing: line.description)
        #expect(read == line && read.key?.keyAndSalt == random)
        #expect(CryptoAttribute(tag: 3, suite, random: random + [1]) == nil && CryptoAttribute(tag: 0, suite, random: random) == nil)
    }

    @Test("A key does not get into a log") func hidden() throws {
        let master = Sample.master(.aeadAES128GCM)
        var dumped = ""
        dump(master, to: &dumped)
        #expect("\(master) \(String(reflecting: master)) \(dumped)".contains("[") == false && dumped.contains("17") == false)
    }
}
