/// An offer that is no session description, or one that nobody here can follow: each is refused with 488, and leaves nothing behind.
public struct BadDescription: Sendable, CustomStringConvertible {
    public let name: String
    public let text: String

    public var description: String { name }

    private init(_ name: String, _ text: String) { (self.name, self.text) = (name, text) }

    /// Lines behind a head that is right.
    private init(_ name: String, media lines: String..., session: [String] = [], connection: String? = "IN IP4 127.0.0.1") {
        let head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-"] + (connection.map { ["c=\($0)"] } ?? []) + ["t=0 0"]
        self.init(name, (head + session + lines).map { $0 + "\r\n" }.joined())
    }

    private static let ice = ["a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y", "a=candidate:1 1 udp 1 127.0.0.1 4000 typ host"]
    private static let print = "a=fingerprint:sha-256 " + (0..<32).map { _ in "5A" }.joined(separator: ":")
    private static let browser = "m=audio 9 UDP/TLS/RTP/SAVPF 0"

    public static let all: [BadDescription] = grammar + bounds + streams + keys + paths

    private static let grammar = [
        BadDescription("no description", "this is no description"),
        BadDescription("one octet", "v"),
        BadDescription("nothing but a version", "v=0\r\n"),
        BadDescription("no media", media: "a=sendrecv"),
        BadDescription("another version", "v=1\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"),
        BadDescription("no origin", "v=0\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"),
        BadDescription("an origin of five fields", "v=0\r\no=- 1 1 IN IP4\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"),
        BadDescription("a version that is no number", "v=0\r\no=- 1 one IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"),
        BadDescription("a line that is none", media: "m=audio 4000 RTP/AVP 0", "audio"),
        BadDescription("a type that is no letter", media: "m=audio 4000 RTP/AVP 0", "7=7"),
        BadDescription("a control octet", media: "m=audio 4000 RTP/AVP 0", "a=x:\u{1}"),
        BadDescription("a zero octet", media: "m=audio 4000 RTP/AVP 0\u{0}"),
        BadDescription("an empty line in the middle", media: "m=audio 4000 RTP/AVP 0", "", "a=sendrecv"),
        BadDescription("an attribute without a name", media: "m=audio 4000 RTP/AVP 0", "a=:value"),
        BadDescription("a version in the middle", media: "m=audio 4000 RTP/AVP 0", "v=0"),
        BadDescription("a media line without formats", media: "m=audio 4000 RTP/AVP"),
        BadDescription("a port beyond all", media: "m=audio 65536 RTP/AVP 0"),
        BadDescription("a port below zero", media: "m=audio -1 RTP/AVP 0"),
        BadDescription("a port of letters", media: "m=audio four RTP/AVP 0"),
        BadDescription("no ports at all", media: "m=audio 4000/0 RTP/AVP 0"),
        BadDescription("more ports than there are", media: "m=audio 4000/99999999999999999999 RTP/AVP 0"),
        BadDescription("a connection of two fields", media: "m=audio 4000 RTP/AVP 0", connection: "IN IP4"),
    ]

    private static let bounds = [
        BadDescription("forty thousand octets", media: "m=audio 4000 RTP/AVP 0", "a=x:" + String(repeating: "x", count: 40_000)),
        BadDescription("two thousand lines", media: "m=audio 4000 RTP/AVP 0", String(repeating: "a=x\r\n", count: 2_000) + "a=y"),
        BadDescription("twenty streams", media: String(repeating: "m=audio 0 RTP/AVP 0\r\n", count: 20) + "m=audio 4000 RTP/AVP 0"),
        BadDescription("a hundred formats", media: "m=audio 4000 RTP/AVP " + (0..<100).map { "\($0)" }.joined(separator: " ")),
    ]

    private static let streams = [
        BadDescription("no address", media: "m=audio 4000 RTP/AVP 0", connection: nil),
        BadDescription("a name for an address", media: "m=audio 4000 RTP/AVP 0", connection: "IN IP4 phone.example"),
        BadDescription("a group", media: "m=audio 4000 RTP/AVP 0", connection: "IN IP4 224.2.1.1/127"),
        BadDescription("everybody", media: "m=audio 4000 RTP/AVP 0", connection: "IN IP4 255.255.255.255"),
        BadDescription("another network", media: "m=audio 4000 RTP/AVP 0", connection: "ATM NSAP 47"),
        BadDescription("a picture only", media: "m=video 4000 RTP/AVP 96", "a=rtpmap:96 VP8/90000"),
        BadDescription("a refused stream only", media: "m=audio 0 RTP/AVP 0"),
        BadDescription("another transport", media: "m=audio 4000 TCP/RTP/AVP 0"),
        BadDescription("unknown codecs only", media: "m=audio 4000 RTP/AVP 96", "a=rtpmap:96 SPEEX/16000"),
        BadDescription("numbers that nobody explains", media: "m=audio 4000 RTP/AVP 96 97 127"),
        BadDescription("formats beyond all numbers", media: "m=audio 4000 RTP/AVP 128 999 99999999999999999999"),
        BadDescription("keys without sound", media: "m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"),
        BadDescription("a clock of zero", media: "m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/0"),
        BadDescription("one tag for two streams", media: "m=audio 4000 RTP/AVP 0", "a=mid:0", "m=audio 4002 RTP/AVP 0", "a=mid:0"),
    ]

    private static let keys = [
        BadDescription("protection without keys", media: "m=audio 4000 RTP/SAVP 0"),
        BadDescription("a key line of nothing", media: "m=audio 4000 RTP/SAVP 0", "a=crypto:"),
        BadDescription("a key line without a tag", media: "m=audio 4000 RTP/SAVP 0", "a=crypto:AES_CM_128_HMAC_SHA1_80 inline:AAAA"),
        BadDescription("a key that is too short", media: "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"),
        BadDescription("a key that is no base64", media: "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:????"),
        BadDescription("an unknown suite", media: "m=audio 4000 RTP/SAVP 0", "a=crypto:1 ROT13 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
        BadDescription("a handshake without a fingerprint", media: "m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=setup:actpass"),
        BadDescription("a fingerprint that is too short", media: "m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 5A:5A", "a=setup:actpass"),
        BadDescription("a digest that is broken", media: "m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:md5 5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A:5A", "a=setup:actpass"),
        BadDescription("a handshake that nobody begins", media: "m=audio 4000 UDP/TLS/RTP/SAVPF 0", print, "a=setup:holdconn"),
        BadDescription("a role that is none", media: "m=audio 4000 UDP/TLS/RTP/SAVPF 0", print, "a=setup:both"),
    ]

    private static let paths = [
        BadDescription("a short password of ICE", media: browser, print, "a=setup:actpass", "a=rtcp-mux", "a=ice-ufrag:EsAw", "a=ice-pwd:short"),
        BadDescription("a short fragment of ICE", media: browser, print, "a=setup:actpass", "a=rtcp-mux", "a=ice-ufrag:E", ice[1]),
        BadDescription("a password of other letters", media: browser, print, "a=setup:actpass", "a=rtcp-mux", ice[0], "a=ice-pwd:bP+XJMM09aR8AiX1jdukz R6Y="),
        BadDescription("a fragment without a password", media: browser, print, "a=setup:actpass", "a=rtcp-mux", ice[0]),
    ]
}
