import Addresses

/// Requests of a stranger, right in all but what a test puts in.
enum Crafted {
    static func request(
        _ method: String, _ uri: String, callID: String, transport: String = "UDP", vias: Int = 1, maxForwards: Int = 70, more: [String] = [],
        body: [UInt8] = []
    ) -> [UInt8] {
        var lines = ["\(method) \(uri) SIP/2.0"]
        lines += (0..<vias).map { "Via: SIP/2.0/\(transport) 127.0.0.1:5060;branch=z9hG4bK\(callID)\($0)" }
        lines += ["From: <sip:stranger@example.net>;tag=1", "To: <sip:callee@example.com>", "Call-ID: \(callID)", "CSeq: 1 \(method)"]
        lines += ["Max-Forwards: \(maxForwards)", "Contact: <sip:stranger@127.0.0.1>"] + more + ["Content-Length: \(body.count)", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8) + body
    }
}
