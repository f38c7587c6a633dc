import Telemetry

/// What the mixers count, for Prometheus. The loops count in plain integers and add the difference once a second.
enum MediaMetrics {
    struct Totals {
        var received = 0
        var sent = 0
        var malformed = 0
        var unknown = 0
        var late = 0
        var concealed = 0
        var refused = 0

        init() {}

        init(_ mixer: Mixer.Counters, _ buffers: JitterBuffer.Counters, refused: Int) {
            (received, sent, malformed, unknown) = (mixer.received, mixer.sent, mixer.malformed, mixer.unknown)
            (late, concealed, self.refused) = (buffers.late, buffers.concealed, refused)
        }
    }

    static let received = Counter("tandem_room_packets_received_total", "Packets that arrived from relays.")
    static let sent = Counter("tandem_room_packets_sent_total", "Packets sent to relays.")
    static let malformed = Counter(
        "tandem_room_packets_malformed_total", "Packets that are no RTP, or of an unknown payload type.")
    static let unknown = Counter("tandem_room_packets_unknown_total", "Packets whose SSRC belongs to no participant.")
    static let late = Counter("tandem_room_packets_late_total", "Packets that came after their time.")
    static let concealed = Counter("tandem_room_frames_concealed_total", "Frames of 20 ms made up for lost ones.")
    static let refused = Counter("tandem_room_packets_refused_total", "Packets the system did not take for sending.")
    static let missedTicks = Counter("tandem_room_ticks_missed_total", "Ticks left out after the thread stood still.")
    static let lateness = Histogram("tandem_room_tick_lateness_seconds", "How late a mixer's tick began.")
    static let participants = Gauge("tandem_room_participants", "Participants of all rooms of this instance.")

    static func add(_ totals: Totals, since last: Totals) {
        func add(_ counter: Counter, _ part: KeyPath<Totals, Int>) {
            counter.add(UInt64(max(0, totals[keyPath: part] - last[keyPath: part])))
        }
        add(received, \.received)
        add(sent, \.sent)
        add(malformed, \.malformed)
        add(unknown, \.unknown)
        add(late, \.late)
        add(concealed, \.concealed)
        add(refused, \.refused)
    }
}
