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

    enum Side: Int, CaseIterable { case outside, inside }

    private static let methods = ["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "other"]

    /// By side, method and outcome.
    private static let requests: [[[Counter]]] = Side.allCases.map { side in
        methods.map { method in
            Outcome.allCases.map { outcome in
                Counter(
                    "tandem_edge_requests_total", "requests by the side they came from, method and what became of them",
                    labels: ["from": "\(side)", "method": method, "outcome": outcome.name])
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
    static let parked = Gauge("tandem_edge_parked_requests", "requests that wait for credentials")

    static func count(_ method: Method?, _ side: Side, _ outcome: Outcome) {
        let index: Int
        switch method {
        case .invite: index = 0
        case .ack: index = 1
        case .bye: index = 2
        case .cancel: index = 3
        case .register: index = 4
        case .options: index = 5
        default: index = 6
        }
        requests[side.rawValue][index][outcome.rawValue].add()
    }

    static func countResponse(_ side: Side) { responses[side.rawValue].add() }

    static func connected(_ transport: Transport, by change: Int) { connections[transport]?.add(change) }

    static func count(_ failure: StreamPeer.Failure) { failures[failure]?.add() }

    static func count(_ reason: DropReason) { drops[reason]?.add() }

    static func count(_ error: ParseError) {
        malformed[error]?.add()
        count(.malformed)
    }
}
