import DTLS
import Testing

@Suite("DTLS: certificates and fingerprints")
struct DTLSCertificateTests {
    @Test("A successor reads the certificate and shows the same one") func roundTrip() throws {
        let made = Certificate.make(now: 1_800_000_000)
        let read = try Certificate(certificate: made.certificate, key: made.key)
        #expect(read == made && read.fingerprint == made.fingerprint)
        #expect(Certificate.make(now: 1_800_000_000).fingerprint != made.fingerprint)
        #expect(!"\(made)".contains("PRIVATE") && !String(reflecting: made).contains("PRIVATE"))
    }

    @Test("What is no certificate, no key, or not its key, is refused") func unusable() throws {
        let (one, other) = (Certificate.make(now: 0), Certificate.make(now: 0))
        #expect(throws: Certificate.Unusable.unreadable) { try Certificate(certificate: "", key: one.key) }
        #expect(throws: Certificate.Unusable.unreadable) { try Certificate(certificate: one.certificate, key: "x") }
        #expect(throws: Certificate.Unusable.unreadable) { try Certificate(certificate: String(one.certificate.dropFirst(40)), key: one.key) }
        #expect(throws: Certificate.Unusable.keyMismatch) { try Certificate(certificate: one.certificate, key: other.key) }
    }

    @Test("RFC 8122 §5: a fingerprint is read in any case and printed as others do", arguments: Fingerprint.Algorithm.allCases)
    func fingerprint(algorithm: Fingerprint.Algorithm) throws {
        let hash = (0..<algorithm.length).map { UInt8($0 * 3 + 10) }
        let text = try #require(Fingerprint(algorithm, hash: hash)).description
        #expect(text.hasPrefix(algorithm.rawValue + " 0A:0D:10"))
        #expect(Fingerprint(parsing: text)?.hash == hash)
        #expect(Fingerprint(parsing: " " + text.lowercased())?.hash == hash)
        #expect(Fingerprint(parsing: text.uppercased())?.algorithm == algorithm)
    }

    @Test(
        "A malformed fingerprint is none",
        arguments: [
            "", "sha-256", "sha-256 ", "sha-1 00:11", "md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
            "sha-1 000102030405060708090A0B0C0D0E0F10111213", "sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:1G",
            "sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14",
            "sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13 x", "sha-1 0:001:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13",
        ])
    func malformed(text: String) {
        #expect(Fingerprint(parsing: text) == nil)
    }
}
