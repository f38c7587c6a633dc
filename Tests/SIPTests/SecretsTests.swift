import SIP
import Testing

@Suite("What of a message may be shown")
struct SecretsTests {
    private func hidden(_ text: String) -> String { String(decoding: Secrets.hidden(in: Array(text.utf8)), as: UTF8.self) }

    @Test("credentials and keys become as many asterisks, in every line they take; all else stays")
    func hides() {
        let message = """
            INVITE sip:1002@demo.localhost SIP/2.0\r
            Authorization: Digest username="1001",\r
             response="secret"\r
            PROXY-authorization:Digest x\r
            Call-ID: authorization: no\r
            Content-Length: 9\r
            \r
            v=0\r
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20\r
            a=ice-ufrag:abcd\r
            a=ice-pwd:efgh\r
            a=fingerprint:sha-256 AB\r\n
            """
        let shown = hidden(message)
        #expect(shown.utf8.count == message.utf8.count, "every length still holds")
        for secret in ["Digest", "1001\"", "secret", "inline", "efgh"] { #expect(!shown.contains(secret), "\(secret)") }
        for rest in ["Authorization: ******", "PROXY-authorization:******", "Call-ID: authorization: no", "a=ice-ufrag:abcd", "a=ice-pwd:****", "sha-256 AB", "v=0"] {
            #expect(shown.contains(rest), "\(rest)")
        }
        #expect(shown.contains("\r\n ********"), "the line that goes on")
    }

    @Test("what is no message is taken as it comes", arguments: ["", "\n", "\r\n\r\n", " ", "k=", "authorization:", "a=ice-pwd:\n", "x\ny", "\n \n"])
    func hostile(text: String) {
        #expect(hidden(text).utf8.count == text.utf8.count)
    }

    @Test(
        "RFC 6086: the keys that an INFO tells of are not shown, however its phone writes them",
        arguments: [
            ("Content-Type: application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "Signal=*\r\nDuration=160\r\n"),
            ("content-type : application/dtmf-relay;x=y", "Signal= 11\r\nDuration= 160", "Signal= **\r\nDuration= 160"),
            ("c:application/dtmf", "5", "*"), ("Content-Type: application/sdp", "v=0\r\nc=IN IP4 127.0.0.1\r\n", "v=0\r\nc=IN IP4 127.0.0.1\r\n"),
        ])
    func pressedKeys(field: String, body: String, shown: String) {
        let head = "INFO sip:a@b SIP/2.0\r\nCSeq: 5 INFO\r\n\(field)\r\n\r\n"
        #expect(hidden(head + body) == head + shown)
    }
}
