import CSRTP
import SRTP

/// libsrtp2, which nobody here wrote: what it protects is to be opened here, and the other way round.
final class Oracle {
    struct Refusal: Error, Equatable {
        let status: UInt32

        static let replayed = Refusal(status: srtp_err_status_replay_fail.rawValue)
        static let unauthentic = Refusal(status: srtp_err_status_auth_fail.rawValue)
    }

    private static let isReady = srtp_init() == srtp_err_status_ok
    private let session: srtp_t

    init(_ master: MasterKey, isSending: Bool) throws {
        guard Self.isReady else { throw Refusal(status: .max) }
        var policy = srtp_policy_t()
        policy.ssrc.type = isSending ? ssrc_any_outbound : ssrc_any_inbound
        policy.window_size = 128
        switch master.suite {
        case .aes128CounterModeSHA1_80: srtp_crypto_policy_set_rtp_default(&policy.rtp)
        case .aes128CounterModeSHA1_32: srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp)
        case .aes256CounterModeSHA1_80: srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp)
        case .aes256CounterModeSHA1_32: srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy.rtp)
        case .aeadAES128GCM: srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
        case .aeadAES256GCM: srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
        }
        policy.rtcp = policy.rtp
        // The tags of RTCP are never short.
        if policy.rtcp.auth_tag_len == 4 { policy.rtcp.auth_tag_len = 10 }
        var key = master.keyAndSalt
        var created: srtp_t?
        let status = key.withUnsafeMutableBufferPointer { buffer in
            policy.key = buffer.baseAddress
            return srtp_create(&created, &policy)
        }
        guard status == srtp_err_status_ok, let created else { throw Refusal(status: status.rawValue) }
        session = created
    }

    deinit { srtp_dealloc(session) }

    func protect(_ packet: [UInt8]) throws(Refusal) -> [UInt8] { try call(packet, srtp_protect) }
    func unprotect(_ packet: [UInt8]) throws(Refusal) -> [UInt8] { try call(packet, srtp_unprotect) }
    func protectControl(_ packet: [UInt8]) throws(Refusal) -> [UInt8] { try call(packet, srtp_protect_rtcp) }
    func unprotectControl(_ packet: [UInt8]) throws(Refusal) -> [UInt8] { try call(packet, srtp_unprotect_rtcp) }

    private func call(
        _ packet: [UInt8], _ function: (srtp_t?, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>?) -> srtp_err_status_t
    ) throws(Refusal) -> [UInt8] {
        var buffer = packet + [UInt8](repeating: 0, count: 64)
        var length = Int32(packet.count)
        let status = function(session, &buffer, &length)
        guard status == srtp_err_status_ok else { throw Refusal(status: status.rawValue) }
        return Array(buffer.prefix(Int(length)))
    }
}
