import Bytes
import Testing

@testable import SRTP

@Suite("SRTP: published vectors")
struct SRTPVectorTests {
    private func stream(key: String, high: UInt64, low: UInt64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        CounterMode(key: Sample.bytes(key)).apply(to: &span, from: 0, to: count, high: high, low: low)
        return bytes
    }

    @Test(
        "RFC 3711 §B.2, RFC 6188 §7.1: the key stream, from its first block to its 65,282nd",
        arguments: [
            (
                "2B7E151628AED2A6ABF7158809CF4F3C",
                "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0",
                "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44"
            ),
            (
                "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
                "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac 63c4868b7096d88421b563b8c94c9a31",
                "cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d 6eb246913062a16891433e97dd01a57f"
            ),
        ])
    func keyStream(key: String, first: String, last: String) {
        let count = 16 * 0xff02
        let stream = stream(key: key, high: 0xf0f1_f2f3_f4f5_f6f7, low: 0xf8f9_fafb_fcfd_0000, count: count)
        #expect(Array(stream.prefix(48)) == Sample.bytes(first))
        #expect(Array(stream.suffix(48)) == Sample.bytes(last))
    }

    @Test(
        "RFC 3711 §B.3, RFC 6188 §7.2: the session keys of a master key",
        arguments: [
            (
                Suite.aes128CounterModeSHA1_80, "E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6",
                "C61E7A93744F39EE10734AFE3FF7A087", "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", "30CBBC08863D8C85D49DB34A9AE1"
            ),
            (
                .aes256CounterModeSHA1_80, "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
                "3b04803de51ee7c96423ab5b78d2", "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
                "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05", "fa31791685ca444a9e07c6c64e93"
            ),
        ])
    func keyDerivation(suite: SRTP.Suite, key: String, salt: String, encryption: String, authentication: String, sessionSalt: String)
        throws
    {
        let master = try #require(MasterKey(suite, key: Sample.bytes(key), salt: Sample.bytes(salt)))
        let keys = SessionKeys(master, for: .rtp)
        #expect(keys.encryption == Sample.bytes(encryption))
        #expect(keys.authentication == Sample.bytes(authentication))
        #expect(keys.salt == Sample.bytes(sessionSalt))
    }

    @Test("RFC 3711 §4.3.2: RTCP has keys of its own") func controlKeys() {
        let master = Sample.master(.aes128CounterModeSHA1_80)
        let (rtp, rtcp) = (SessionKeys(master, for: .rtp), SessionKeys(master, for: .rtcp))
        #expect(rtp.encryption != rtcp.encryption && rtp.authentication != rtcp.authentication && rtp.salt != rtcp.salt)
    }

    private static let galois = ["000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"]
    private static let rtp = "8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
    private static let rtcp = "81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

    private func keys(_ key: String) -> SessionKeys {
        SessionKeys(encryption: Sample.bytes(key), authentication: [], salt: Sample.bytes("517569642070726f2071756f"))
    }

    @Test(
        "RFC 7714 §16.1, §16.2: RTP under AES-GCM",
        arguments: [
            (
                SRTP.Suite.aeadAES128GCM, galois[0],
                "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce"
            ),
            (
                .aeadAES256GCM, galois[1],
                "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13"
            ),
        ])
    func packets(suite: SRTP.Suite, key: String, text: String) throws {
        let keys = keys(key)
        let clear = Sample.bytes(Self.rtp)
        let sealed = Array(clear.prefix(12)) + Sample.bytes(text)
        #expect(try Sender(SendingContext(suite, rtp: keys, rtcp: keys)).protect(clear) == sealed)
        #expect(try Receiver(ReceivingContext(suite, rtp: keys, rtcp: keys)).unprotect(sealed) == clear)
    }

    @Test(
        "RFC 7714 §17.1-§17.3: RTCP under AES-GCM, encrypted and only tagged",
        arguments: [
            (
                SRTP.Suite.aeadAES128GCM, galois[0], true,
                "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"
            ),
            (
                .aeadAES256GCM, galois[1], true,
                "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"
            ),
            (
                .aeadAES128GCM, galois[0], false,
                "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4"
            ),
        ])
    func controlPackets(suite: SRTP.Suite, key: String, isEncrypted: Bool, text: String) throws {
        let keys = keys(key)
        let clear = Sample.bytes(Self.rtcp)
        let sealed = Array(clear.prefix(8)) + Sample.bytes(text)
        var buffer = clear + [UInt8](repeating: 0, count: suite.controlOverhead)
        var span = buffer.mutableSpan
        let length = Transform(suite, keys, tagLength: suite.controlTagLength)
            .protectControl(&span, end: clear.count, ssrc: 0x4d61_7273, index: 0x5d4, isEncrypting: isEncrypted)
        #expect(Array(buffer.prefix(length)) == sealed)
        #expect(try Receiver(ReceivingContext(suite, rtp: keys, rtcp: keys)).unprotectControl(sealed) == clear)
    }
}
