import Contracts
import Testing

@testable import ConferenceServer

@Suite("Who connects a media stream")
struct StreamSigningTests {
    @Test("the signature is HMAC-SHA256 over the time and the stream's id, as openssl makes it")
    func vector() {
        // printf '1764381600.part_01J' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signing = StreamSigning(secret: "0123456789abcdef", stream: "part_01J", now: { 1_764_381_600 })
        #expect(signing.fields.map(\.name) == ["X-Tandem-Stream", "X-Tandem-Signature"])
        #expect(signing.fields[0].value == "part_01J")
        #expect(signing.fields[1].value == "t=1764381600,v1=85c3a41c67cbcd321cdc8af71aaa74c838240e10e5a0e00c37680466d02743bc")
    }

    @Test("a secret is long enough, and can be typed", arguments: ["short", "with a space in it", "sixteen-bytes-ä-", String(repeating: "x", count: 257)])
    func refused(secret: String) {
        var settings = StreamSettings(id: "part_1", url: "wss://bot.example.com/")
        settings.secret = secret
        let error = #expect(throws: RPCError.self) { try StreamRules.check(settings) }
        #expect(error?.problems.map(\.pointer) == ["/secret"])
        settings.secret = "sixteen-bytes-ok"
        #expect(throws: Never.self) { try StreamRules.check(settings) }
    }
}
