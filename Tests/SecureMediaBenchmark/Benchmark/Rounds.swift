import CSRTP
import Glibc
import SRTP

enum Rounds {
    static let suites: [Suite] = [.aes128CounterModeSHA1_80, .aes256CounterModeSHA1_80, .aeadAES128GCM, .aeadAES256GCM]

    private static let count = 1_000
    private static let rounds = 200
    private static let (length, place) = (172, 256)

    /// Packets behind each other, each in a place of its own.
    private struct Packets {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: count * place)
        private var sequence: UInt16 = 0

        subscript(index: Int) -> UnsafeMutablePointer<UInt8> { memory + index * place }

        mutating func write() {
            for index in 0..<count {
                let packet = self[index]
                sequence &+= 1
                packet.update(repeating: 0xd5, count: length)
                let header: [12 of UInt8] = [0x80, 0, UInt8(sequence >> 8), UInt8(sequence & 255), 0, 0, 0, 0, 1, 2, 3, 4]
                for offset in 0..<12 { packet[offset] = header[offset] }
            }
        }
    }

    static func master(_ suite: Suite) -> MasterKey {
        guard let master = MasterKey(suite, keyAndSalt: Array(repeating: 9, count: suite.keyLength + suite.saltLength)) else {
            fatalError("as many bytes as the suite wants")
        }
        return master
    }

    static func ours(_ suite: Suite, isCounted: Bool) {
        var context = Context(sending: master(suite), receiving: master(suite))
        var packets = Packets()
        defer { packets.memory.deallocate() }
        var (protect, unprotect) = (Times(of: count), Times(of: count))
        var failures = 0
        // The first packet makes the source.
        pass(&packets, &context, &protect, &unprotect, &failures)
        if isCounted { raise(SIGUSR2) }
        for _ in 1..<rounds { pass(&packets, &context, &protect, &unprotect, &failures) }
        if isCounted { raise(SIGUSR2) }
        precondition(failures == 0, "every packet was protected and opened")
        protect.show("\(suite.rawValue), protect")
        unprotect.show("\(suite.rawValue), unprotect")
    }

    private static func pass(
        _ packets: inout Packets, _ context: inout Context, _ protect: inout Times, _ unprotect: inout Times, _ failures: inout Int
    ) {
        packets.write()
        var sealed = 0
        protect.measure {
            for index in 0..<count {
                var span = MutableSpan(_unsafeStart: packets[index], count: place)
                do { sealed = try context.protect(&span, count: length) } catch { failures += 1 }
            }
        }
        unprotect.measure {
            for index in 0..<count {
                var span = MutableSpan(_unsafeStart: packets[index], count: place)
                do { if try context.unprotect(&span, count: sealed) != length { failures += 1 } } catch { failures += 1 }
            }
        }
    }

    static func theirs(_ suite: Suite) {
        let (sender, receiver) = (session(suite, ssrc_any_outbound), session(suite, ssrc_any_inbound))
        var packets = Packets()
        defer { packets.memory.deallocate() }
        var (protect, unprotect) = (Times(of: count), Times(of: count))
        var failures = 0
        for _ in 0..<rounds / 4 {
            packets.write()
            var sealed: Int32 = 0
            protect.measure {
                for index in 0..<count {
                    sealed = Int32(length)
                    if srtp_protect(sender, packets[index], &sealed) != srtp_err_status_ok { failures += 1 }
                }
            }
            unprotect.measure {
                for index in 0..<count {
                    var opened = sealed
                    if srtp_unprotect(receiver, packets[index], &opened) != srtp_err_status_ok { failures += 1 }
                }
            }
        }
        precondition(failures == 0, "every packet was protected and opened")
        protect.show("  libsrtp2, protect")
        unprotect.show("  libsrtp2, unprotect")
    }

    private static let isReady = srtp_init() == srtp_err_status_ok

    private static func session(_ suite: Suite, _ direction: srtp_ssrc_type_t) -> srtp_t? {
        precondition(isReady, "libsrtp2 starts")
        var policy = srtp_policy_t()
        policy.ssrc.type = direction
        policy.window_size = 128
        switch suite {
        case .aeadAES128GCM: srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
        case .aeadAES256GCM: srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
        case .aes256CounterModeSHA1_80: srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp)
        default: srtp_crypto_policy_set_rtp_default(&policy.rtp)
        }
        policy.rtcp = policy.rtp
        var key = master(suite).keyAndSalt
        var session: srtp_t?
        let status = key.withUnsafeMutableBufferPointer { buffer in
            policy.key = buffer.baseAddress
            return srtp_create(&session, &policy)
        }
        precondition(status == srtp_err_status_ok, "libsrtp2 knows the suite")
        return session
    }
}
