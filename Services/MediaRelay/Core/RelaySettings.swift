import Addresses
import Bytes
import Deadlines
import FoundationEssentials
import Processes
import ServiceKit
import Succession
import Threads

/// The relay's settings in the form the service uses them.
struct RelaySettings: Sendable {
    var inside: IPAddress
    /// What phones are told to send to.
    var media: IPAddress
    /// What the sockets are bound to: another one behind a one-to-one NAT or in a container.
    var listen: IPAddress
    /// The same for phones that are met over IPv6, beside IPv4.
    var place6: Place?
    var ports: ClosedRange<UInt16>
    var threads: Int
    var sessionLimit: Int
    var timeout: Interval
    /// When packets may wait for the next ones.
    var moderation = WakeupModeration(interval: .microseconds(500), above: 2000)
    var preferences = MediaPreferences()
    var ng = NGSettings()
    var fastPath = FastPathWish.auto
    /// Of the media threads; 0: like all others.
    var priority = 0

    static let declared = MediaPreferences.declared + own + NGSettings.declared

    private static let portRange = Setting.Format("FIRST-LAST with room for a pair, for example 30000-39999") {
        RelaySettings.ports($0) != nil
    }

    private static let own: [Setting] = [
        Setting("TANDEM_MEDIA_ADDRESS", as: .ipAddress, default: "127.0.0.1", "address that phones send their RTP to"),
        Setting("TANDEM_MEDIA_LISTEN", as: .ipAddress.orEmpty, default: "", "address the RTP sockets are bound to (default: TANDEM_MEDIA_ADDRESS)"),
        Setting("TANDEM_MEDIA_ADDRESS6", as: .ipAddress.orEmpty, default: "", "IPv6 address for RTP beside TANDEM_MEDIA_ADDRESS; empty: none"),
        Setting("TANDEM_MEDIA_LISTEN6", as: .ipAddress.orEmpty, default: "", "address those RTP sockets are bound to (default: TANDEM_MEDIA_ADDRESS6)"),
        Setting("TANDEM_RTP_PORTS", as: portRange, default: "30000-39999", "range of UDP ports for RTP and RTCP"),
        Setting("TANDEM_MEDIA_THREADS", .integer(0...256), default: "0", "media threads; 0: one per processor"),
        SoundThreads.setting,
        Setting("TANDEM_MEDIA_SESSIONS", .integer(1...65_536), default: "2000", "sessions this instance carries when it is full"),
        Setting(
            "TANDEM_DRAIN_HANDOVER", .integer(-1...3600), default: "2",
            "a relay that is told to stop waits so many seconds before its sessions are moved to others; -1: they end here"),
        Setting("TANDEM_DRAIN_RATE", .integer(1...1000), default: "20", "sessions that are asked to move in a second"),
        Setting("TANDEM_RTP_TIMEOUT", .integer(5...86_400), default: "60", "seconds without a packet of the phone until its call is told"),
        Setting(
            "TANDEM_MEDIA_GATHER_MICROSECONDS", .integer(0...10_000), default: "500",
            "under load, how long packets may wait to be read together with the next ones; 0: not at all"),
        Setting(
            "TANDEM_MEDIA_GATHER_RATE", .integer(0...10_000_000), default: "2000",
            "packets a second above which a media thread is under load in this sense"),
        Setting(
            "TANDEM_MEDIA_GATHER_PACKETS", .integer(0...1_000), default: "10",
            "while fewer packets than that come in the time of TANDEM_MEDIA_GATHER_MICROSECONDS, they wait longer, at most twice as long"),
        FastPathWish.setting,
    ]

    static let kept = KeptService(.mediaRelay, name: "relay", wish: "TANDEM_RELAY_KEEPER", patience: "TANDEM_RELAY_PATIENCE")

    /// Who controls the relay over ng has it alone: nobody's commands would be asked again.
    static var wantsKeeper: Bool { kept.isWanted && ThisProcess.environment["TANDEM_NG_LISTEN"]?.isEmpty ?? true }

    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    init(_ settings: Settings, priority: Int = 0) throws(Mistake) {
        self.priority = priority
        let media = settings.ipAddress("TANDEM_MEDIA_ADDRESS")
        self.media = media
        listen = settings.text("TANDEM_MEDIA_LISTEN").isEmpty ? media : settings.ipAddress("TANDEM_MEDIA_LISTEN")
        inside = settings.ipAddress("TANDEM_INSIDE_ADDRESS")
        guard listen.isIPv4 == media.isIPv4 else {
            throw Mistake(description: "TANDEM_MEDIA_LISTEN and TANDEM_MEDIA_ADDRESS must be both IPv4 or both IPv6")
        }
        if !settings.text("TANDEM_MEDIA_ADDRESS6").isEmpty {
            let media6 = settings.ipAddress("TANDEM_MEDIA_ADDRESS6")
            let listen6 = settings.text("TANDEM_MEDIA_LISTEN6").isEmpty ? media6 : settings.ipAddress("TANDEM_MEDIA_LISTEN6")
            guard media.isIPv4, !media6.isIPv4, !listen6.isIPv4 else {
                throw Mistake(description: "TANDEM_MEDIA_ADDRESS6 and TANDEM_MEDIA_LISTEN6 are IPv6 addresses beside a TANDEM_MEDIA_ADDRESS of IPv4")
            }
            place6 = Place(media: media6, listen: listen6)
        }
        guard let ports = Self.ports(settings.text("TANDEM_RTP_PORTS")) else {
            preconditionFailure("TANDEM_RTP_PORTS was checked to be a range")
        }
        self.ports = ports
        let threads = settings.integer("TANDEM_MEDIA_THREADS")
        self.threads = threads > 0 ? threads : max(1, ProcessInfo.processInfo.activeProcessorCount)
        // Every session has a pair of ports.
        sessionLimit = min(settings.integer("TANDEM_MEDIA_SESSIONS"), ports.count / 2)
        timeout = .seconds(settings.integer("TANDEM_RTP_TIMEOUT"))
        moderation = WakeupModeration(
            interval: .microseconds(settings.integer("TANDEM_MEDIA_GATHER_MICROSECONDS")),
            above: settings.integer("TANDEM_MEDIA_GATHER_RATE"), filling: settings.integer("TANDEM_MEDIA_GATHER_PACKETS"))
        fastPath = try FastPathWish(settings)
        preferences = try MediaPreferences(settings)
        ng = try NGSettings(settings)
    }

    /// `30000-39999`: ports above the reserved ones, at least one even/odd pair.
    static func ports(_ text: String) -> ClosedRange<UInt16>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = ASCII.decimal(parts[0].utf8), let last = ASCII.decimal(parts[1].utf8),
            first >= 1024, last <= 65_535, first + first % 2 + 1 <= last
        else { return nil }
        return UInt16(first)...UInt16(last)
    }

    init(inside: IPAddress, media: IPAddress, ports: ClosedRange<UInt16>, threads: Int, sessionLimit: Int, timeout: Interval) {
        (self.inside, self.media, listen, self.ports) = (inside, media, media, ports)
        (self.threads, self.sessionLimit, self.timeout) = (threads, sessionLimit, timeout)
    }
}
