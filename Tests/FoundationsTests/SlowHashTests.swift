import Bytes
import Cryptography
import Testing

@Suite("Short secrets as they are kept")
struct SlowHashTests {
    @Test("RFC 7914 §11: PBKDF2 with HMAC-SHA-256")
    func vector() throws {
        let hash = SlowHash(of: "passwd", salt: Array("salt".utf8), rounds: 1)
        let parts = hash.text.split(separator: "$").map(String.init)
        #expect(parts.prefix(2) == ["pbkdf2-sha256", "1"])
        let key = try #require(parts.last.flatMap { Base64.decode($0.utf8) })
        #expect(Hexadecimal.encode(key) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
    }

    @Test("The same secret is found again, another is not, and the same with another salt looks different")
    func verified() {
        let hash = SlowHash(of: "4711", salt: [1, 2, 3, 4], rounds: 1000)
        #expect(SlowHash(text: hash.text).isOf("4711") && !hash.isOf("4712") && !hash.isOf(""))
        #expect(SlowHash(of: "4711", salt: [1, 2, 3, 5], rounds: 1000) != hash)
    }

    @Test("What cannot be read is no secret's", arguments: [
        "", "4711", "pbkdf2-sha256$0$AQ==$AQ==", "pbkdf2-sha256$99999999999$AQ==$AQ==", "pbkdf2-sha256$1$!$AQ==", "md5$1$AQ==$AQ==", "pbkdf2-sha256$1$AQ==",
    ])
    func unreadable(text: String) {
        #expect(!SlowHash(text: text).isOf("4711"))
    }
}
