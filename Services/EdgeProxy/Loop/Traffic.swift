import SIP
import Telemetry

/// What the edge counts: there is no log line per message.
enum Traffic {
    enum Outcome: Int, CaseIterable {
        case forwarded, challenged, refused, answered, unavailable

        var name: String { "\(self)" }

        init(status: Int) {
            switch status {
            case ..<300: self = .answered
            case 401, 407: self = .challenged
            case 503: self = .unavailable
            default: self = .refused
            }
        }
    }

    typealias Side = ProxyCore.Side

    /// In the order of `place(of:)`.
    private static let methods = [
        "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "UPDATE", "INFO", "MESSAGE", "REFER", "SUBSCRIBE",
        "NOTIFY", "PUBLISH", "other",
    ]

    private static func place(of method: Method?) -> Int {
        switch method {
        case .invite: 0
        case .ack: 1
        case .bye: 2
        case .cancel: 3
        case .register: 4
        case .options: 5
        case .prack: 6
        case .update: 7
        case .info: 8
        case .message: 9
        case .refer: 10
        case .subscribe: 11
        case .notify: 12
        case .publish: 13
        case .other, nil: 14
        }
    }

    /// Flat, by side, transport, method and outcome: counting is one look into an array and one atomic addition.
    private static let requests: [Counter] = Side.allCases.flatMap { side in
        Transport.allCases.flatMap { transport in
            methods.flatMap { method in
                Outcome.allCases.map { outcome in
                    Counter(
                        "tandem_edge_requests_total",
                        "requests by the side they came from, transport, method and what became of them",
                        labels: [
                            "from": "\(side)", "transport": transport.name.lowercased(), "method": method,
                            "outcome": outcome.name,
                        ])
                }
            }
        }
    }

    private static let responses: [Counter] = Side.allCases.map { side in
        Counter("tandem_edge_responses_total", "responses forwarded, by the side they came from", labels: ["from": "\(side)"])
    }

    private static let drops: [DropReason: Counter] = Dictionary(
        uniqueKeysWithValues: DropReason.allCases.map { reason in
            (
                reason,
                Counter("tandem_edge_dropped_total", "messages dropped without an answer", labels: ["reason": reason.rawValue])
            )
        })

    private static let malformed: [ParseError: Counter] = Dictionary(
        uniqueKeysWithValues: ParseError.allCases.map { error in
            (
                error,
                Counter("tandem_edge_malformed_total", "received bytes that are no SIP message", labels: ["error": "\(error)"])
            )
        })

    private static let refused: [AdmissionReason: Counter] = Dictionary(
        uniqueKeysWithValues: AdmissionReason.allCases.map { reason in
            (
                reason,
                Counter(
                    "tandem_edge_refused_total", "datagrams, requests and connections that were not admitted",
                    labels: ["reason": reason.label])
            )
        })

    static let keepAlives = Counter("tandem_edge_keepalives_total", "keep-alives received from outside")
    private static let connections: [Transport: Gauge] = Dictionary(
        uniqueKeysWithValues: Transport.allCases.filter(\.isReliable).map { transport in
            (transport, Gauge("tandem_edge_connections", "open connections", labels: ["transport": transport.name.lowercased()]))
        })
    private static let failures: [StreamPeer.Failure: Counter] = Dictionary(
        uniqueKeysWithValues: StreamPeer.Failure.allCases.map { failure in
            (
                failure,
                Counter(
                    "tandem_edge_stream_failures_total", "connections closed for what they sent, or did not send",
                    labels: ["reason": failure.rawValue])
            )
        })
    private static let handshakes: [StreamPeer.Handshake: Counter] = Dictionary(
        uniqueKeysWithValues: StreamPeer.Handshake.allCases.map { outcome in
            (outcome, Counter("tandem_edge_tls_handshakes_total", "TLS handshakes by outcome", labels: ["outcome": outcome.rawValue]))
        })
    static let kept = Gauge("tandem_edge_kept_requests", "requests over connections that have had no response yet")
    static let keptFull = Counter("tandem_edge_kept_full_total", "requests over connections there was no room to keep")
    static let resent = Counter("tandem_edge_resent_total", "kept requests sent again")
    static let handedOver = Counter(
        "tandem_edge_handed_over_total", "messages from inside given to the loop or edge that holds their connection")
    static let registrars = Gauge("tandem_edge_servers_alive", "servers that are heard of", labels: ["kind": "registrar"])
    static let callServers = Gauge("tandem_edge_servers_alive", "servers that are heard of", labels: ["kind": "call"])
    private static let captured = Counter("tandem_edge_captures_total", "copies of messages sent to the capture server")
    private static let notCaptured = Counter(
        "tandem_edge_captures_lost_total", "copies of messages that were too long or that the socket did not take")
    static let refusals = Counter("tandem_edge_server_refusals_total", "datagrams to servers at whose address nobody listens")
    static let parked = Gauge("tandem_edge_parked_requests", "requests that wait for credentials")

    /// Servers inside speak UDP.
    static func count(_ method: Method?, _ side: Side, _ outcome: Outcome, over transport: Transport = .udp) {
        let place = (side.rawValue * Transport.allCases.count + Int(transport.rawValue)) * methods.count + place(of: method)
        requests[place * Outcome.allCases.count + outcome.rawValue].add()
    }

    static func countForwarded(_ message: borrowing MessageView, _ side: Side, over transport: Transport) {
        if message.isRequest { count(message.method, side, .forwarded, over: transport) } else { countResponse(side) }
    }

    static func countResponse(_ side: Side) { responses[side.rawValue].add() }

    static func captures(sent: Int, lost: Int) {
        captured.add(UInt64(sent))
        if lost > 0 { notCaptured.add(UInt64(lost)) }
    }

    static func connected(_ transport: Transport, by change: Int) { connections[transport]?.add(change) }

    static func count(_ failure: StreamPeer.Failure) { failures[failure]?.add() }

    static func count(_ handshake: StreamPeer.Handshake) { handshakes[handshake]?.add() }

    static func count(_ reason: DropReason) { drops[reason]?.add() }

    static func count(_ reason: AdmissionReason) { refused[reason]?.add() }

    static func count(_ error: ParseError) { malformed[error]?.add() }
}
