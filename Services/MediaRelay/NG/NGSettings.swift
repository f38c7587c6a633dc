import Addresses
import Deadlines
import NG
import ServiceKit

/// Who may control this relay over `ng`, and from where.
struct NGSettings: Sendable {
    var listen: SocketAddress?
    var peers: [IPAddress] = []
    /// A call in which nobody has to send ends after so long without anything.
    var quietTimeout = Interval.seconds(3600)
    var repliesKept = 65_536
    /// How long candidates wait for a call that there is not yet; RTPEngine keeps them for three seconds.
    var fragmentsKept = Interval.seconds(3)
    /// Where the files of `play media` lie.
    var sounds = ""
    /// What recordings are unless a request says otherwise.
    var recordingForm = RecordingOptions.Form.stereo
    /// What tells descriptions that this relay has written from others: random, for the life of the process.
    var mark = ""

    private static let forms = Setting.Format.choice(RecordingOptions.Form.allCases.map(\.rawValue))

    static let declared: [Setting] = [
        Setting(
            "TANDEM_NG_LISTEN", as: .socketAddress.orEmpty, default: "",
            "address:port for rtpengine's ng protocol over UDP: the relay works alone, without broker and cache; empty: none"),
        Setting("TANDEM_NG_PEERS", as: .ipAddress.list, default: "", "addresses that may control the relay over ng; empty: this machine only"),
        Setting(
            "TANDEM_NG_QUIET_TIMEOUT", .integer(10...604_800), default: "3600",
            "seconds after which a call on hold, or never answered, ends when nothing is heard of it"),
        Setting("TANDEM_NG_SOUNDS", default: "", "directory of the files that may be played over ng; empty: none"),
        Setting(
            "TANDEM_NG_RECORDING", as: forms, default: "stereo",
            "what recordings over ng are: stereo (a channel for each side), mixed, single (a file for each side) or pcap"),
        Setting(
            "TANDEM_NG_REPLIES", .integer(16...1_048_576), default: "65536",
            "answers of the last half minute that are kept for requests that come again"),
        Setting("TANDEM_NG_FRAGMENT_SECONDS", .integer(0...60), default: "3", "how long candidates wait for a call that there is not yet"),
    ]

    init() {}

    init(_ settings: Settings) throws(RelaySettings.Mistake) {
        quietTimeout = .seconds(settings.integer("TANDEM_NG_QUIET_TIMEOUT"))
        repliesKept = settings.integer("TANDEM_NG_REPLIES")
        fragmentsKept = .seconds(settings.integer("TANDEM_NG_FRAGMENT_SECONDS"))
        sounds = settings.text("TANDEM_NG_SOUNDS")
        guard let form = RecordingOptions.Form(rawValue: settings.text("TANDEM_NG_RECORDING")) else {
            throw RelaySettings.Mistake(description: "TANDEM_NG_RECORDING must be stereo, mixed, single or pcap")
        }
        recordingForm = form
        peers = []
        for text in settings.list("TANDEM_NG_PEERS") {
            guard let address = IPAddress(text) else {
                throw RelaySettings.Mistake(description: "TANDEM_NG_PEERS has '\(text)': give addresses like 192.0.2.1")
            }
            peers.append(address)
        }
        let text = settings.text("TANDEM_NG_LISTEN")
        guard !text.isEmpty else { return }
        guard let address = SocketAddress(text) else {
            throw RelaySettings.Mistake(description: "TANDEM_NG_LISTEN must be ADDRESS:PORT, for example 127.0.0.1:2223")
        }
        listen = address
    }

    static func standsAlone(_ settings: Settings) -> Bool { !settings.text("TANDEM_NG_LISTEN").isEmpty }

    /// Whoever controls a relay can have sound sent anywhere: this machine, unless others are named (RELIABILITY V26).
    func allows(_ peer: IPAddress) -> Bool { peers.isEmpty ? peer.isLoopback : peers.contains(peer) }
}

extension RelaySettings {
    func marked(_ random: UInt64) -> RelaySettings {
        var marked = self
        marked.ng.mark = String(random, radix: 16)
        return marked
    }
}

extension IPAddress {
    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1.
    var isLoopback: Bool { v4.map { $0 >> 24 == 127 } ?? (self == .loopbackIPv6) }
}
