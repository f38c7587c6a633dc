/// `external_media_start`: a WebSocket hears the call and is heard in it; the flow goes on at once.
public struct ExternalMediaStart: Sendable, Hashable, OptionFields {
    /// What the sound is wrapped in: messages of JSON, or nothing. The others are VoIPbin's, and nothing here speaks them.
    public enum Encapsulation: String, Sendable, Hashable, OptionChoice { case json, none, rtp, audiosocket }
    public enum Transport: String, Sendable, Hashable, OptionChoice { case websocket, udp, tcp }
    public enum ConnectionType: String, Sendable, Hashable, OptionChoice { case client, server }
    /// The names are Asterisk's.
    public enum Format: String, Sendable, Hashable, OptionChoice { case ulaw, slin, slin16, slin24, slin48 }
    /// What the call says, what it hears, or both.
    public enum Direction: String, Sendable, Hashable, OptionChoice { case `in`, out, both }

    /// `HOST`, `HOST:PORT`, or an address as in `url`.
    public var externalHost: String?
    /// `ws://` or `wss://`; instead of `external_host`.
    public var url: String?
    public var encapsulation: Encapsulation?
    public var transport: Transport?
    /// What VoIPbin's transport is told; none here takes anything.
    public var transportData: String?
    public var connectionType: ConnectionType?
    public var format: Format?
    public var directionListen: Direction?
    public var directionSpeak: Direction?
    /// The `Authorization` field of the request.
    public var authorization: String?
    /// What the request is signed with.
    public var secret: String?
    /// Handed through to the other side.
    public var data: String?

    public init() {}

    /// Whether a stream can be made of it: there is that over a WebSocket which is opened from here, and no other.
    var isSupported: Bool {
        encapsulation != .rtp && encapsulation != .audiosocket && transport != .udp && transport != .tcp && connectionType != .server
            && transportData?.isEmpty != false
    }

    /// Where to connect to.
    public var address: String {
        let text = url ?? externalHost ?? ""
        return text.contains("://") ? text : "ws://\(text)"
    }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("url", &url, .url)
        visitor.string("external_host", &externalHost, .url)
        visitor.choice("encapsulation", &encapsulation)
        visitor.choice("transport", &transport)
        visitor.string("transport_data", &transportData, .text)
        visitor.choice("connection_type", &connectionType)
        visitor.choice("format", &format)
        visitor.choice("direction_listen", &directionListen)
        visitor.choice("direction_speak", &directionSpeak)
        visitor.string("authorization", &authorization, .text)
        visitor.string("secret", &secret, .text)
        visitor.string("data", &data, .short)
    }
}

extension ExternalMediaStart {
    /// Exactly one of the two says where to connect to, over WebSocket; whether a variable will be an address is seen when it is known.
    func check(_ reader: inout OptionReader) {
        let place = reader.pointer.pointing(at: url == nil ? "external_host" : "url")
        guard (url == nil) != (externalHost == nil) else {
            // Who waits to be connected to knows no address.
            if url == nil, connectionType == .server { return }
            return reader.note(place, url == nil ? .missing : .invalidValue, "give either external_host or url")
        }
        let text = url ?? externalHost ?? ""
        guard !text.contains("${") else { return }
        let scheme = text.split(separator: ":", maxSplits: 1).first.map { $0.lowercased() }
        if text.isEmpty || text.contains("://") ? !["ws", "wss"].contains(scheme) : url != nil {
            reader.note(place, .invalidValue, "an address begins with ws:// or wss://")
        }
    }
}
