import Codecs
import DTLS
import Deadlines
import ICE
import MediaSession
import SRTP
import ServiceKit

/// What an operator decides about the media of all legs, in the form the service uses it.
struct MediaPreferences: Sendable {
    /// Whether pauses are described instead of sent (RFC 3389).
    enum ComfortNoise: String, Sendable, CaseIterable {
        case off, receive, both
    }

    var codecs = CodecChoice.usual
    var packetTime = 20
    var session = SessionSettings()
    var comfortNoise = ComfortNoise.receive
    /// In the order of our offers. AES-GCM costs least, and every phone has the first of RFC 4568.
    var suites: [Suite] = [.aes128CounterModeSHA1_80, .aeadAES128GCM, .aes128CounterModeSHA1_32]
    var ice = ICE.Configuration()
    /// What we say we are where the offer is ours; towards a lite agent we are full whatever this says (RFC 8445 §2.5).
    var iceMode = ICE.Mode.lite
    var dtls = Handshake.Limits()
    /// RFC 4594 §4.1: telephony is forwarded expedited (EF).
    var dscp = 46
    var reportInterval = Interval.seconds(5)

    init() {}

    private static let codec = Setting.Format("a codec among PCMU, PCMA, G722, opus, G729, GSM, L16") { CodecChoice(names: [$0]) != nil }
    private static let suite = Setting.Format.choice(Suite.allCases.map(\.rawValue))
    private static let noise = Setting.Format.choice(ComfortNoise.allCases.map(\.rawValue))

    static let declared: [Setting] = [
        Setting(
            "TANDEM_CODECS", as: codec.list, default: "",
            "codecs to use, best first, of PCMU, PCMA, G722, opus, G729, GSM, L16 (default: all, those that need no transcoding first)"),
        Setting("TANDEM_MEDIA_PTIME", .integer(10...60), default: "20", "milliseconds of sound that phones are asked to put into a packet"),
        Setting("TANDEM_MEDIA_DSCP", .integer(0...63), default: "46", "DSCP of media towards phones; 46 is expedited forwarding"),
        Setting("TANDEM_OPUS_BITRATE", .integer(0...128_000), default: "0", "bits per second of Opus; 0 chooses by sampling rate, else 6000 at least"),
        Setting("TANDEM_OPUS_COMPLEXITY", .integer(0...10), default: "6", "effort of the Opus encoder, 0 (cheap) to 10"),
        Setting("TANDEM_OPUS_FEC", .flag, default: "1", "each packet of Opus carries the one before once more, where the phone uses that (useinbandfec)"),
        Setting("TANDEM_OPUS_LOSS", .integer(0...100), default: "10", "percent of loss that Opus prepares for"),
        Setting("TANDEM_OPUS_DTX", .flag, default: "0", "Opus sends nothing in pauses, where the phone wishes so (usedtx)"),
        Setting("TANDEM_JITTER_MIN", .integer(0...500), default: "10", "ms that a transcoder waits at least for a packet that is late"),
        Setting("TANDEM_JITTER_MAX", .integer(10...2000), default: "120", "ms that it waits at most"),
        Setting("TANDEM_DTMF_INBAND", .flag, default: "1", "keys are heard in the sound of phones that send no events (RFC 4733)"),
        Setting(
            "TANDEM_COMFORT_NOISE", as: noise, default: "receive",
            "comfort noise of RFC 3389: off, receive, or both to send it in pauses as well"),
        Setting(
            "TANDEM_SRTP_SUITES", as: suite.list,
            default: "AES_CM_128_HMAC_SHA1_80,AEAD_AES_128_GCM,AES_CM_128_HMAC_SHA1_32",
            "crypto suites of our offers with keys in SDP, best first"),
        Setting(
            "TANDEM_ICE", as: .choice(["lite", "full"]), default: "lite",
            "what our offers say of ICE: lite, where phones reach this address, or full (RFC 8445 §2.5); a lite phone is checked anyway"),
        Setting("TANDEM_ICE_TIMEOUT", .integer(1...300), default: "40", "seconds until ICE gives up finding a path"),
        Setting("TANDEM_ICE_CONSENT", .integer(5...300), default: "30", "seconds without an answered check until a path is dead"),
        Setting("TANDEM_DTLS_TIMEOUT", .integer(1...300), default: "30", "seconds that a handshake may take with all its attempts"),
        Setting("TANDEM_DTLS_RETRANSMIT", .integer(50...5000), default: "200", "ms until a flight of a handshake is repeated, doubled each time"),
        Setting("TANDEM_RTCP_INTERVAL", .integer(1...60), default: "5", "seconds between our control packets, on average"),
    ]

    init(_ settings: Settings) throws(RelaySettings.Mistake) {
        guard let codecs = CodecChoice(names: settings.list("TANDEM_CODECS")) else {
            throw RelaySettings.Mistake(description: "TANDEM_CODECS names a codec that is not known here")
        }
        guard let noise = ComfortNoise(rawValue: settings.text("TANDEM_COMFORT_NOISE")) else {
            throw RelaySettings.Mistake(description: "TANDEM_COMFORT_NOISE must be off, receive or both")
        }
        let names = settings.list("TANDEM_SRTP_SUITES")
        suites = names.compactMap(Suite.init(rawValue:))
        guard suites.count == names.count, !suites.isEmpty else {
            throw RelaySettings.Mistake(
                description: "TANDEM_SRTP_SUITES must name suites among \(Suite.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        (self.codecs, comfortNoise) = (codecs, noise)
        packetTime = settings.integer("TANDEM_MEDIA_PTIME") / 10 * 10
        dscp = settings.integer("TANDEM_MEDIA_DSCP")
        let bitrate = settings.integer("TANDEM_OPUS_BITRATE")
        session.opus = OpusSettings(
            bitrate: bitrate == 0 ? nil : bitrate, complexity: settings.integer("TANDEM_OPUS_COMPLEXITY"),
            forwardErrorCorrection: settings.flag("TANDEM_OPUS_FEC"), expectedLoss: settings.integer("TANDEM_OPUS_LOSS"),
            discontinuous: settings.flag("TANDEM_OPUS_DTX"))
        session.jitter = .init(
            floor: .milliseconds(settings.integer("TANDEM_JITTER_MIN")), ceiling: .milliseconds(settings.integer("TANDEM_JITTER_MAX")))
        guard let mode = ICE.Mode(rawValue: settings.text("TANDEM_ICE")) else {
            throw RelaySettings.Mistake(description: "TANDEM_ICE must be lite or full")
        }
        iceMode = mode
        session.describesPauses = noise == .both
        session.hearsTones = settings.flag("TANDEM_DTMF_INBAND")
        ice.patience = .seconds(settings.integer("TANDEM_ICE_TIMEOUT"))
        ice.consentLifetime = .seconds(settings.integer("TANDEM_ICE_CONSENT"))
        dtls = Handshake.Limits(
            repetition: .milliseconds(settings.integer("TANDEM_DTLS_RETRANSMIT")), duration: .seconds(settings.integer("TANDEM_DTLS_TIMEOUT")))
        reportInterval = .seconds(settings.integer("TANDEM_RTCP_INTERVAL"))
    }
}
