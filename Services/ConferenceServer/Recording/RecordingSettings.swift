import Bytes
import Contracts
import Cryptography
import Logging
import ServiceKit

/// Where recordings are kept, how much there may be of them, and what seals them.
struct RecordingSettings: Sendable {
    /// Empty: none are made.
    var folder = ""
    var seconds = 14_400
    /// At a time.
    var limit = 500
    var tracks = 32
    /// Between a mixer and the thread that writes, in bytes.
    var buffer = 4 << 20
    /// Of a channel of Opus, a second.
    var bitrate = 24_000
    /// After which they are deleted; 0: never.
    var days = 0
    /// The first seals; all open. Empty: recordings lie as they are.
    var keys: [[UInt8]] = []

    private static let key = Setting.Format("64 hexadecimal digits, or the word cluster") {
        $0 == "cluster" || Hexadecimal.decode($0.utf8)?.count == 32
    }

    static let declared = [
        Setting("TANDEM_RECORDINGS", default: "", "folder for recordings of rooms; empty: none are made"),
        Setting("TANDEM_RECORDING_SECONDS", .integer(1...86_400), default: "14400", "the longest a recording may be"),
        Setting("TANDEM_RECORDING_LIMIT", .integer(0...10_000), default: "500", "recordings at a time"),
        Setting(
            "TANDEM_RECORDING_TRACKS", .integer(1...256), default: "32",
            "participants that get a file of their own in a recording of tracks"),
        Setting(
            "TANDEM_RECORDING_KILOBYTES", .integer(64...1_048_576), default: "4096",
            "memory between a mixer and the thread that writes recordings; what does not fit is silence"),
        Setting(
            "TANDEM_RECORDING_OPUS_BITS", .integer(6_000...128_000), default: "24000", "bit rate of a channel of Opus in recordings"),
        Setting("TANDEM_RECORDING_DAYS", .integer(0...36_500), default: "0", "recordings are deleted after so many days; 0: never"),
        Setting(
            "TANDEM_RECORDING_KEY", .secret, as: key.list, default: "",
            "keys of 64 hexadecimal digits, separated by commas: the first seals recordings, all open them; `cluster`: the cluster's; empty: not sealed"),
    ] + ObjectStore.declared

    init() {}

    init(_ runtime: Runtime) throws {
        let settings = runtime.settings
        folder = settings.text("TANDEM_RECORDINGS")
        seconds = settings.integer("TANDEM_RECORDING_SECONDS")
        (limit, tracks) = (settings.integer("TANDEM_RECORDING_LIMIT"), settings.integer("TANDEM_RECORDING_TRACKS"))
        (buffer, bitrate) = (settings.integer("TANDEM_RECORDING_KILOBYTES") << 10, settings.integer("TANDEM_RECORDING_OPUS_BITS"))
        days = settings.integer("TANDEM_RECORDING_DAYS")
        for word in settings.list("TANDEM_RECORDING_KEY") {
            if word == "cluster" {
                keys.append(runtime.key(for: "recordings"))
            } else if let key = Hexadecimal.decode(word.utf8), key.count == 32 {
                keys.append(key)
            } else {
                throw ConfigurationError("TANDEM_RECORDING_KEY: a key has 64 hexadecimal digits, or is the word cluster")
            }
        }
    }
}

/// The places of a recording's files, known from what it is.
struct RecordingPlace: Sendable, Hashable {
    var customerID: String
    /// As `2027-01-31`.
    var date: String
    var id: String
    var format: String
    /// What a successor of the room goes on in: its number, and the frame at which it begins.
    var part: Int?
    var position = 0

    init(_ recording: Recording) {
        (customerID, id, format) = (OutputFile.name(recording.customerID), OutputFile.name(recording.id), recording.format.rawValue)
        date = String(recording.startedAt.description.prefix(10))
    }

    var folders: [String] { [customerID, "\(customerID)/\(date)"] }

    /// Without an extension; also the folder of a recording of tracks.
    var stem: String { "\(customerID)/\(date)/\(id)" + (part.map { ".part\($0)-\(position)" } ?? "") }

    var file: String { "\(stem).\(format)" }

    func file(ofTrack track: Int) -> String { "\(stem)/\(track).\(format)" }

    /// Who the tracks are, while it is recorded.
    var list: String { "\(stem)/tracks.json" }
}
