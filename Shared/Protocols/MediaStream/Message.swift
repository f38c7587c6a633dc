internal import Bytes
internal import Flow

/// What the other side of a media stream says to us.
public enum Message: Sendable, Hashable {
    /// Sound, in the format of the stream.
    case media([UInt8])
    /// To be told when what was sent before it has been heard.
    case mark(String)
    /// What has not been heard yet is forgotten; its marks come at once.
    case clear
    /// The stream is over.
    case stop
    /// Something that a newer peer may say.
    case other
}

/// Why a message cannot be understood. Messages of which this is so are counted and passed over.
public enum MessageError: Error, Sendable, Hashable { case notJSON, noEvent, noPayload, badPayload, badName }

extension Message {
    public static let largest = 256 * 1024
    /// In bytes.
    public static let longestName = 256

    /// A text message: JSON with an `event`.
    public init(parsing text: [UInt8]) throws(MessageError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(json: text, limits: JSONLimits(bytes: Self.largest, depth: 8))
        } catch { throw .notJSON }
        guard let event = value["event"]?.string else { throw .noEvent }
        switch event {
        case "media":
            guard let payload = value["media"]?["payload"]?.string else { throw .noPayload }
            guard let bytes = Base64.decode(payload.utf8) else { throw .badPayload }
            self = .media(bytes)
        case "mark":
            guard let name = value["mark"]?["name"]?.string, name.utf8.count <= Self.longestName else { throw .badName }
            self = .mark(name)
        case "clear": self = .clear
        case "stop": self = .stop
        default: self = .other
        }
    }
}
