public import SIP

/// Requests as plain lines, for tests that play one side of a dialog themselves.
public enum SIPLines {
    /// Of a client on that connection; a second one in its dialog repeats Call-ID and tags.
    public static func request(
        _ method: String, uri: String = "sip:bob@example.org", from agent: StreamAgent, toTag: String? = nil, sequence: Int = 1,
        parameters: String = ""
    ) -> [String] {
        let transport = agent.transport
        return [
            "\(method) \(uri) SIP/2.0",
            "Via: SIP/2.0/\(transport.name) 127.0.0.1:\(agent.port)\(parameters);branch=z9hG4bK\(agent.port)\(method)\(sequence)",
            "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>" + (toTag.map { ";tag=\($0)" } ?? ""),
            "Call-ID: call-\(agent.port)", "CSeq: \(sequence) \(method)", "Max-Forwards: 70",
            "Contact: <sip:alice@127.0.0.1:\(agent.port);transport=\(transport.name.lowercased())>",
        ]
    }

    /// Of the server on that port, within the dialog of the INVITE it got, by the routes that were recorded.
    public static func inDialog(
        _ method: String, of invite: Message, server port: UInt16, sequence: Int, body: [UInt8] = []
    ) -> [UInt8] {
        let routes = (invite.recordRoutes ?? []).map { "Route: <\($0.uri)>" }
        let lines =
            [
                "\(method) \(invite.contact?.uri.description ?? "") SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bKserver\(sequence)",
                "From: <sip:bob@example.org>;tag=bob", "To: <sip:alice@example.org>;tag=alice",
                "Call-ID: \(invite.callID ?? "")", "CSeq: \(sequence) \(method)", "Max-Forwards: 70",
            ] + routes + ["Content-Length: \(body.count)", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8) + body
    }
}
