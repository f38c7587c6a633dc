internal import Bytes

/// What RTP or RTCP is encrypted and authenticated with, derived from the master key (RFC 3711 §4.3, key derivation rate 0).
struct SessionKeys {
    /// The first of the three labels in a row (RFC 3711 §4.3.1, §4.3.2).
    enum Purpose: UInt8 { case rtp = 0, rtcp = 3 }

    let encryption: [UInt8]
    /// Nothing for an AEAD.
    let authentication: [UInt8]
    let salt: [UInt8]

    private static let authenticationLength = 20

    init(encryption: [UInt8], authentication: [UInt8], salt: [UInt8]) {
        (self.encryption, self.authentication, self.salt) = (encryption, authentication, salt)
    }

    init(_ master: MasterKey, for purpose: Purpose) {
        let generator = CounterMode(key: master.key)
        let suite = master.suite
        func derive(_ offset: UInt8, _ length: Int) -> [UInt8] {
            guard length > 0 else { return [] }
            // The label lies above 48 bits of packet index, which count nothing at rate 0; salts of 12 bytes are filled up (RFC 7714 §11).
            var block = master.salt + [UInt8](repeating: 0, count: 16 - master.salt.count)
            block[7] ^= purpose.rawValue + offset
            var stream = [UInt8](repeating: 0, count: length)
            var bytes = stream.mutableSpan
            generator.apply(to: &bytes, from: 0, to: length, high: block.span.bigEndian64(at: 0), low: block.span.bigEndian64(at: 8))
            return stream
        }
        encryption = derive(0, suite.keyLength)
        authentication = derive(1, suite.isAEAD ? 0 : Self.authenticationLength)
        salt = derive(2, suite.saltLength)
    }
}
