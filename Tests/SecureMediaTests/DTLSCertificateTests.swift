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

    @Test("RFC 8122 §5: a fingerprint has the length of its hash", arguments: Fingerprint.Algorithm.allCases)
    func fingerprint(algorithm: Fingerprint.Algorithm) throws {
        let hash = (0..<algorithm.length).map { UInt8($0 * 3 + 10) }
        let fingerprint = try #require(Fingerprint(algorithm, hash: hash))
        #expect(fingerprint == Fingerprint(algorithm.rawValue, hash: hash) && fingerprint == Fingerprint(algorithm.rawValue.uppercased(), hash: hash))
        #expect("\(fingerprint)".hasPrefix(algorithm.rawValue + " 0a0d10"))
        #expect(Fingerprint(algorithm, hash: hash + [0]) == nil && Fingerprint(algorithm, hash: Array(hash.dropLast())) == nil)
    }

    @Test("RFC 8122 §5: MD5 is no longer taken, nor what is unknown", arguments: ["md5", "md2", "sha256", "", "sha-3"])
    func unknownAlgorithm(name: String) {
        for length in [16, 20, 32] { #expect(Fingerprint(name, hash: Array(repeating: 1, count: length)) == nil) }
    }
}
