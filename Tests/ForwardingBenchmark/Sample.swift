import Cryptography
import SIP

/// A message as phones and servers send it.
struct Sample {
    let name: String
    let bytes: [UInt8]

    static func all(flow: FlowToken, server: FlowToken, key: SipHash) -> [Sample] {
        let (flow, server) = (flow.sealed(key: key), server.sealed(key: key))
        return [
            Sample(name: "OPTIONS", bytes: request("OPTIONS", routes: "", body: "")),
            Sample(name: "INVITE", bytes: request("INVITE", routes: "", body: offer)),
            Sample(
                name: "BYE", bytes: request(
                    "BYE", routes: "Route: <sip:\(server)@127.0.0.1:5060;lr>\r\nRoute: <sip:\(flow)@127.0.0.1:15060;lr>\r\n", body: "")),
            Sample(name: "200", bytes: response(flow)),
        ]
    }

    private static let offer = """
        v=0\r
        o=- 3843911 3843911 IN IP4 192.0.2.7\r
        s=-\r
        c=IN IP4 192.0.2.7\r
        t=0 0\r
        m=audio 40000 RTP/AVP 0 8 101\r
        a=rtpmap:0 PCMU/8000\r
        a=rtpmap:8 PCMA/8000\r
        a=rtpmap:101 telephone-event/8000\r
        a=fmtp:101 0-15\r
        a=ptime:20\r
        a=sendrecv\r

        """

    private static func request(_ method: String, routes: String, body: String) -> [UInt8] {
        let type = body.isEmpty ? "" : "Content-Type: application/sdp\r\n"
        return Array(
            ("\(method) sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bKnashds8f92k;rport\r\n\(routes)"
                + "Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@example.com>;tag=1928301774\r\nTo: <sip:bob@example.com>\r\n"
                + "Call-ID: a84b4c76e66710af28e3@example.com\r\nCSeq: 314159 \(method)\r\nContact: <sip:alice@192.0.2.7:40000>\r\n"
                + "User-Agent: Example 1.0\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\n"
                + "Supported: replaces, timer\r\n\(type)Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8)
    }

    private static func response(_ token: String) -> [UInt8] {
        Array(
            ("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:15060;branch=z9hG4bK0123456789;rport;tandem=\(token)\r\n"
                + "Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bKnashds8f92k;rport=40000;received=192.0.2.7\r\n"
                + "From: \"Alice\" <sip:alice@example.com>;tag=1928301774\r\nTo: <sip:bob@example.com>;tag=314159\r\n"
                + "Call-ID: a84b4c76e66710af28e3@example.com\r\nCSeq: 314159 INVITE\r\nContact: <sip:bob@192.0.2.8:5060>\r\n"
                + "Content-Length: 0\r\n\r\n").utf8)
    }
}
