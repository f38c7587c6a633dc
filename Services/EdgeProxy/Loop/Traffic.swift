import SIP
import Telemetry

/// What the edge counts: there is no log line per message.
enum Traffic {
    /// By `DropReason.rawValue`.
    private static let drops = DropReason.allCases.map { reason in
        Counter("tandem_edge_dropped_total", "messages dropped without an answer", labels: ["reason": "\(reason)"])
    }

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
    static let parked = Gauge("tandem_edge_parked_requests", "requests that wait for credentials or a domain")
    static let parkedBytes = Gauge("tandem_edge_parked_bytes", "bytes of these")

    static func captures(sent: Int, lost: Int) {
        captured.add(UInt64(sent))
        if lost > 0 { notCaptured.add(UInt64(lost)) }
    }

    static func connected(_ transport: Transport, by change: Int) { connections[transport]?.add(change) }

    static func count(_ failure: StreamPeer.Failure) { failures[failure]?.add() }

    static func count(_ handshake: StreamPeer.Handshake) { handshakes[handshake]?.add() }

    /// All that is counted is to be seen from the beginning, at zero: a rate wants to know where it began.
    static func declare() {
        _ = (drops.count, refused.count, BanBoard.inForce.value, malformed.count, keepAlives.value)
        _ = (connections.count, failures.count, handshakes.count, kept.value, keptFull.value, resent.value)
        _ = (handedOver.value, parked.value, parkedBytes.value, registrars.value, callServers.value, captured.value, notCaptured.value, refusals.value)
        declareMessages()
    }

    static func count(_ reason: DropReason) { drops[reason.rawValue].add() }

    static func count(_ reason: AdmissionReason) { refused[reason]?.add() }

    static func count(_ error: ParseError) { malformed[error]?.add() }
}
