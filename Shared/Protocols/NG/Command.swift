/// What is asked for.
public enum Command: String, Hashable, Sendable, CaseIterable {
    case ping, offer, answer, delete, query, list, statistics
    case startRecording = "start recording"
    case stopRecording = "stop recording"
    case pauseRecording = "pause recording"
    case blockMedia = "block media"
    case unblockMedia = "unblock media"
    case blockDTMF = "block dtmf"
    case unblockDTMF = "unblock dtmf"
    case silenceMedia = "silence media"
    case unsilenceMedia = "unsilence media"
    case playMedia = "play media"
    case stopMedia = "stop media"
    case playDTMF = "play dtmf"
}

/// A request: what is asked for, of which call and whom in it, and how.
public struct Request: Hashable, Sendable {
    public enum Mistake: Error, Hashable, Sendable, CustomStringConvertible {
        case noCommand
        case unknownCommand(String)
        case missing(String)

        public var description: String {
            switch self {
            case .noCommand: "no command is given"
            case .unknownCommand(let name): "the command '\(name)' is not known"
            case .missing(let key): "'\(key)' is missing"
            }
        }
    }

    public var command: Command
    /// Empty in the commands that are about no call.
    public var callID: String
    public var fromTag: String?
    public var toTag: String?
    public var viaBranch: String?
    /// Of an offer or answer.
    public var sdp: [UInt8]
    public var options: Options
    /// The document itself, for what only one command has.
    public var document: [String: Value]

    public init(_ document: [String: Value]) throws(Mistake) {
        guard let name = document["command"]?.text else { throw .noCommand }
        guard let command = Command(rawValue: Self.key(name).replacing("-", with: " ")) else {
            throw .unknownCommand(String(name.prefix(40)))
        }
        self.command = command
        (fromTag, toTag, viaBranch) = (document["from-tag"]?.text, document["to-tag"]?.text, document["via-branch"]?.text)
        callID = document["call-id"]?.text ?? ""
        sdp = document["sdp"]?.bytes ?? []
        options = Options(document)
        self.document = document
        switch command {
        case .ping, .list, .statistics: break
        case .offer, .answer:
            for key in command == .offer ? ["call-id", "from-tag", "sdp"] : ["call-id", "from-tag", "to-tag", "sdp"] {
                guard document[key]?.bytes?.isEmpty == false else { throw .missing(key) }
            }
        default: guard !callID.isEmpty else { throw .missing("call-id") }
        }
    }

    /// The value under a key, whichever way the key is written.
    public func value(_ key: String) -> Value? {
        document[key] ?? document.first { Self.key($0.key) == key }?.value
    }

    /// Spaces, underscores and capitals in keys and flags mean nothing.
    static func key(_ text: String) -> String {
        String(decoding: text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "_"): UInt8(ascii: "-")
            case 65...90: byte | 32
            default: byte
            }
        }, as: UTF8.self)
    }
}
