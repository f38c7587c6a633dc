import MediaSession
import Telemetry

/// What a media thread has carried since it last told the process's counters: plain numbers, so a packet costs an addition.
struct Traffic {
    private static let fromPhones = Counter("tandem_relay_packets_total", "RTP packets taken, by side.", labels: ["from": "phone"])
    private static let fromRooms = Counter("tandem_relay_packets_total", "RTP packets taken, by side.", labels: ["from": "room"])
    private static let fast = Counter("tandem_relay_fast_path_packets_total", "RTP packets of phones that the kernel forwarded by itself.")
    private static let malformed = dropped("malformed")
    private static let strangers = dropped("stranger")
    private static let late = dropped("late")
    private static let held = dropped("held")
    private static let unknown = dropped("unknown_session")
    private static let unsent = dropped("not_sent")
    private static let unauthentic = dropped("unauthentic")
    private static let unkeyed = dropped("unkeyed")
    private static let control = Counter("tandem_relay_control_packets_total", "RTCP packets of phones.")

    private static let silent = Counter("tandem_ng_silent_calls_total", "Dialogues over ng that ended because nothing was heard.")

    private static func dropped(_ reason: String) -> Counter {
        Counter("tandem_relay_dropped_packets_total", "Packets not forwarded, by reason.", labels: ["reason": reason])
    }

    private var taken = (phones: 0, rooms: 0, fast: 0)
    private var drops = (malformed: 0, strangers: 0, late: 0, held: 0, unauthentic: 0, unkeyed: 0)
    var unknownSessions = 0
    var notSent = 0
    var controlPackets = 0
    var silentCalls = 0

    mutating func countPhones(_ verdict: Verdict) {
        if isTaken(verdict) { taken.phones += 1 }
    }

    mutating func countRooms(_ verdict: Verdict) {
        if isTaken(verdict) { taken.rooms += 1 }
    }

    /// They are packets of phones like all others.
    mutating func countFast(_ packets: Int) {
        taken.phones += packets
        taken.fast += packets
    }

    mutating func count(_ reason: MediaTransport.Reason) {
        switch reason {
        case .stranger: drops.strangers += 1
        case .foreign, .malformed: drops.malformed += 1
        case .unkeyed: drops.unkeyed += 1
        case .unauthentic, .replayed: drops.unauthentic += 1
        }
    }

    private mutating func isTaken(_ verdict: Verdict) -> Bool {
        switch verdict {
        case .forwarded, .collected: return true
        case .malformed: drops.malformed += 1
        case .stranger: drops.strangers += 1
        case .late: drops.late += 1
        case .held: drops.held += 1
        }
        return false
    }

    /// Adds all that was counted to the counters of the process.
    mutating func publish() {
        let counts = [
            (Self.fromPhones, taken.phones), (Self.fromRooms, taken.rooms), (Self.fast, taken.fast), (Self.malformed, drops.malformed),
            (Self.strangers, drops.strangers), (Self.late, drops.late), (Self.held, drops.held), (Self.unknown, unknownSessions),
            (Self.unsent, notSent), (Self.unauthentic, drops.unauthentic), (Self.unkeyed, drops.unkeyed), (Self.control, controlPackets),
            (Self.silent, silentCalls),
        ]
        for (counter, count) in counts where count > 0 { counter.add(UInt64(count)) }
        self = Traffic()
    }
}
