import ServiceKit

/// Where recordings and captures are written, and how much there may be of them.
struct TapSettings: Sendable {
    /// Empty: none are made.
    var recordings = ""
    var captures = ""
    var recordingSeconds = 14_400
    var recordingBytes = 512 << 20
    var captureSeconds = 600
    var captureBytes = 100 << 20
    /// Recordings and captures at a time.
    var limit = 200
    /// Between a media thread and the one that writes.
    var buffer = 4096 << 10

    static let declared = [
        Setting("TANDEM_RECORDINGS", default: "", "folder for recordings of sessions; empty: none are made"),
        Setting("TANDEM_RECORDING_SECONDS", .integer(1...86_400), default: "14400", "the longest a recording may be"),
        Setting("TANDEM_RECORDING_MEGABYTES", .integer(1...4000), default: "512", "the largest a recording may be"),
        Setting("TANDEM_CAPTURES", default: "", "folder for pcap files of sessions; empty: none are made"),
        Setting("TANDEM_CAPTURE_SECONDS", .integer(1...86_400), default: "600", "the longest a capture may be"),
        Setting("TANDEM_CAPTURE_MEGABYTES", .integer(1...4000), default: "100", "the largest a capture may be"),
        Setting("TANDEM_TAPS", .integer(0...10_000), default: "200", "recordings and captures at a time"),
        Setting(
            "TANDEM_TAP_KILOBYTES", .integer(64...1_048_576), default: "4096",
            "memory between a media thread and the one that writes recordings; what does not fit is silence"),
    ]

    init() {}

    init(_ settings: Settings) {
        (recordings, captures) = (settings.text("TANDEM_RECORDINGS"), settings.text("TANDEM_CAPTURES"))
        recordingSeconds = settings.integer("TANDEM_RECORDING_SECONDS")
        recordingBytes = settings.integer("TANDEM_RECORDING_MEGABYTES") << 20
        captureSeconds = settings.integer("TANDEM_CAPTURE_SECONDS")
        captureBytes = settings.integer("TANDEM_CAPTURE_MEGABYTES") << 20
        limit = settings.integer("TANDEM_TAPS")
        buffer = settings.integer("TANDEM_TAP_KILOBYTES") << 10
    }
}
