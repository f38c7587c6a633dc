import Addresses
import Bytes
import Cryptography
import Deadlines
import SIP

/// Text with Swift's line ends as the bytes of a SIP message.
func wire(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

let caller = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 5070)
let callee = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 5080)

extension Instant {
    static func ms(_ count: Int) -> Instant { Instant(nanoseconds: UInt64(count) * 1_000_000) }
}

/// The INVITE of RFC 3261 §24.2 with addresses for names, so that responses can be routed.
let invite = """
    INVITE sip:bob@biloxi.example.com SIP/2.0
    Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKnashds8
    Max-Forwards: 70
    To: Bob <sip:bob@biloxi.example.com>
    From: Alice <sip:alice@atlanta.example.com>;tag=1928301774
    Call-ID: a84b4c76e66710
    CSeq: 314159 INVITE
    Contact: <sip:alice@127.0.0.1:5070>
    Content-Type: application/sdp
    Content-Length: 4

    v=0

    """

func parsed(_ text: String) throws -> Message { try Message.parse(wire(text)) }

let proxyKey = SipHash(key: [UInt8](repeating: 5, count: 16))

/// The Via a proxy between the two would add; nil for what is no request to be forwarded.
func hop(_ message: Message, key: SipHash = proxyKey) -> Forwarding.Hop? {
    guard let head = try? RequestHead(message.view) else { return nil }
    let branch = StatelessForwarding.branch(for: message.view, head, key: key)
    return Forwarding.Hop(.udp, sentBy: callee, branch: branch, wayBack: FlowToken(flow: caller, over: .udp, inside: callee))
}

struct NoRoom: Error {}

/// The bytes of a message as it leaves.
func forwarded(_ message: Message, _ forwarding: Forwarding) throws -> [UInt8] {
    guard let bytes = forwarding.bytes(of: message.view, key: proxyKey) else { throw NoRoom() }
    return bytes
}
