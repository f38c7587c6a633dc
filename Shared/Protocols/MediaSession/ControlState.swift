internal import Addresses
internal import Deadlines
internal import RTP

/// What a session remembers between control packets.
struct ControlState {
    /// The middle 32 bits of the phone's last sender report, and when it came (RFC 3550 §6.4.1).
    var lastSenderReport: UInt32 = 0
    var lastSenderReportAt: Instant?
    /// The same of its reference time (RFC 3611 §4.5).
    var lastReference: UInt32 = 0
    var lastReferenceAt: Instant?
    /// Where the phone's control packets come from.
    var source: SocketAddress?
    var saidGoodbye = false
    /// Whether anything of ours has been sent to it: only then is a goodbye due (RFC 3550 §6.3.7).
    var hasSpoken = false
    /// What it last said of our sound, and how many packets it could have heard by then.
    var block: ReportBlock?
    var sentAtBlock = 0
    var voice: VoiceMetrics?
}
