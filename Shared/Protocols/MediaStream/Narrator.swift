internal import Bytes
internal import Flow

/// What we say on a media stream, as JSON: `connected` and `start` once, then `media`, `dtmf` and `mark`, in the end `stop`.
public struct Narrator: Sendable {
    /// What a stream is about.
    public struct Subject: Sendable, Hashable {
        public var customerID: String
        public var streamID: String
        /// Empty when it is a conference's.
        public var callID: String
        public var conferenceID: String?
        /// What is heard: `inbound`, `outbound` or both.
        public var tracks: [String]
        public var format: Format
        public var parameters: [String: String]

        public init(
            customerID: String, streamID: String, callID: String, conferenceID: String?, tracks: [String], format: Format,
            parameters: [String: String]
        ) {
            (self.customerID, self.streamID, self.callID, self.conferenceID) = (customerID, streamID, callID, conferenceID)
            (self.tracks, self.format, self.parameters) = (tracks, format, parameters)
        }
    }

    private let subject: Subject
    private let track: String
    private var number = 0
    private var chunk = 0

    public init(_ subject: Subject) {
        self.subject = subject
        track = subject.tracks.count == 1 ? subject.tracks[0] : "both"
    }

    public func connected() -> [UInt8] {
        JSONValue.object(["event": "connected", "protocol": "Call", "version": "1.0.0"]).json
    }

    public mutating func start() -> [UInt8] {
        var start: [String: JSONValue] = [
            "accountSid": .string(subject.customerID), "streamSid": .string(subject.streamID), "callSid": .string(subject.callID),
            "tracks": .array(subject.tracks.map { .string($0) }),
            "mediaFormat": [
                "encoding": .string(subject.format.mediaType), "sampleRate": .integer(Int64(subject.format.rate)), "channels": 1,
            ],
            "customParameters": .object(subject.parameters.mapValues { .string($0) }),
        ]
        if let conference = subject.conferenceID { start["conferenceSid"] = .string(conference) }
        return message("start", "start", .object(start))
    }

    /// `milliseconds`: since the stream began.
    public mutating func media(_ payload: [UInt8], at milliseconds: Int) -> [UInt8] {
        chunk += 1
        number += 1
        // By hand: it is said fifty times a second.
        let text = "{\"event\":\"media\",\"media\":{\"chunk\":\"\(chunk)\",\"payload\":\"\(Base64.encode(payload))\","
            + "\"timestamp\":\"\(milliseconds)\",\"track\":\"\(track)\"},\"sequenceNumber\":\"\(number)\","
            + "\"streamSid\":\"\(subject.streamID)\"}"
        return Array(text.utf8)
    }

    public mutating func digit(_ digit: Character) -> [UInt8] {
        message("dtmf", "dtmf", ["digit": .string(String(digit)), "track": "inbound_track"])
    }

    public mutating func mark(_ name: String) -> [UInt8] { message("mark", "mark", ["name": .string(name)]) }

    public mutating func stop(reason: String) -> [UInt8] {
        message(
            "stop", "stop",
            ["accountSid": .string(subject.customerID), "callSid": .string(subject.callID), "reason": .string(reason)])
    }

    private mutating func message(_ event: String, _ member: String, _ content: JSONValue) -> [UInt8] {
        number += 1
        return JSONValue.object([
            "event": .string(event), member: content, "sequenceNumber": .string(String(number)),
            "streamSid": .string(subject.streamID),
        ]).json
    }
}
