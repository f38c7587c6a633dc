public import Logging
internal import Threads

/// The threads that carry sound run before all others of the machine, where that is allowed: a packet that waits for somebody else's
/// work is a gap that is heard.
public enum SoundThreads {
    public static let setting = Setting(
        "TANDEM_MEDIA_PRIORITY", .integer(0...99), default: "1",
        "real-time priority (SCHED_RR) of the threads that carry sound; 0: they wait their turn like all others")

    /// What is wanted, or 0 when this process may not have it, which is said once.
    public static func priority(_ settings: Settings, _ logger: Logger) -> Int {
        let wanted = settings.integer("TANDEM_MEDIA_PRIORITY")
        guard wanted > 0, !Realtime.isAllowed(wanted) else { return wanted }
        logger.notice("sound waits its turn like all other work: real-time threads take CAP_SYS_NICE or `ulimit -r \(wanted)` (TANDEM_MEDIA_PRIORITY=0: not wanted)")
        return 0
    }
}
