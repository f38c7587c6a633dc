import Telemetry

/// What this service counts.
enum Counters {
    static let malformed = Counter("tandem_call_malformed_messages_total", "SIP messages that could not be parsed")
    static let unsent = Counter("tandem_call_unsent_total", "SIP messages that the kernel did not take")
    static let overStreams = Counter("tandem_call_stream_messages_total", "SIP messages received over TCP")
    static let longDatagrams = Counter(
        "tandem_call_long_datagrams_total", "datagrams longer than TANDEM_SIP_DATAGRAM_BYTES, for want of a connection")
    static let lostKeys = Counter("tandem_call_lost_keys_total", "keys told of in INFO requests that the relay did not take")
    static let lostCandidates = Counter(
        "tandem_call_lost_candidates_total", "INFO requests with candidates for ICE that the relay did not take")
    static let lostWatches = Counter("tandem_call_lost_watches_total", "rooms that could not be asked to listen")
    static let calls = Counter("tandem_call_legs_total", "call legs begun")
    static let refused = Counter("tandem_call_refused_total", "calls refused because a limit was reached or a service was away")
    static let adopted = Counter("tandem_call_adopted_total", "call legs taken over from a call server that was gone")
    static let passed = Counter("tandem_call_passed_messages_total", "SIP messages handed on to the instance that owns their call")
    static let fenced = Counter("tandem_call_fenced_total", "call legs given up because another instance had taken them over")
    static let live = Gauge("tandem_call_legs_active", "call legs that are not over")
    static let setup = Histogram("tandem_call_setup_seconds", "INVITE received to 200 sent")
}
