/// A crypto-suite: how packets are encrypted and authenticated (RFC 3711 §4, RFC 6188, RFC 7714), by its name in SDP (RFC 4568 §6.2).
public enum Suite: String, Hashable, Sendable, Codable, CaseIterable {
    case aeadAES128GCM = "AEAD_AES_128_GCM"
    case aeadAES256GCM = "AEAD_AES_256_GCM"
    case aes128CounterModeSHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    case aes128CounterModeSHA1_32 = "AES_CM_128_HMAC_SHA1_32"
    case aes256CounterModeSHA1_80 = "AES_256_CM_HMAC_SHA1_80"
    case aes256CounterModeSHA1_32 = "AES_256_CM_HMAC_SHA1_32"

    public var keyLength: Int {
        switch self {
        case .aeadAES128GCM, .aes128CounterModeSHA1_80, .aes128CounterModeSHA1_32: 16
        case .aeadAES256GCM, .aes256CounterModeSHA1_80, .aes256CounterModeSHA1_32: 32
        }
    }

    public var saltLength: Int { isAEAD ? 12 : 14 }

    /// What a protected RTP packet is longer.
    public var tagLength: Int {
        switch self {
        case .aeadAES128GCM, .aeadAES256GCM: 16
        case .aes128CounterModeSHA1_80, .aes256CounterModeSHA1_80: 10
        case .aes128CounterModeSHA1_32, .aes256CounterModeSHA1_32: 4
        }
    }

    /// What a protected RTCP packet is longer: the word with its index, and a tag that is never short (RFC 4568 §6.2.2).
    public var controlOverhead: Int { 4 + controlTagLength }

    /// The protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2); AES-256 in counter mode has none.
    public var dtlsProfile: UInt16? {
        switch self {
        case .aes128CounterModeSHA1_80: 0x0001
        case .aes128CounterModeSHA1_32: 0x0002
        case .aeadAES128GCM: 0x0007
        case .aeadAES256GCM: 0x0008
        case .aes256CounterModeSHA1_80, .aes256CounterModeSHA1_32: nil
        }
    }

    public init?(dtlsProfile: UInt16) {
        guard let suite = Self.allCases.first(where: { $0.dtlsProfile == dtlsProfile }) else { return nil }
        self = suite
    }

    var isAEAD: Bool { self == .aeadAES128GCM || self == .aeadAES256GCM }

    var controlTagLength: Int { isAEAD ? 16 : 10 }
}
