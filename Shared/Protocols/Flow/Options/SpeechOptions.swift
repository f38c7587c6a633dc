/// `talk`: speaks a text into the call.
public struct Talk: Sendable, Hashable, OptionFields {
    /// What digits pressed during the prompt do.
    public enum DigitsHandle: String, Sendable, Hashable, OptionChoice {
        /// They end the prompt and count for what follows.
        case next
    }

    /// Plain text or SSML.
    public var text = ""
    /// BCP 47; the voice's own language without it.
    public var language: String?
    public var provider: String?
    public var voiceID: String?
    public var digitsHandle: DigitsHandle?
    /// Goes on with the next action while the prompt is still heard.
    public var async = false
    public var keys: KeyVisibility?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("text", &text, .required, .text)
        visitor.string("language", &language, .short)
        visitor.string("provider", &provider, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.choice("digits_handle", &digitsHandle)
        visitor.flag("async", &async)
        visitor.choice("keys", &keys)
    }
}

/// `play`: plays audio files one after the other.
public struct Play: Sendable, Hashable, OptionFields {
    public var streamURLs: [String] = []

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.strings("stream_urls", &streamURLs, .required, .url)
    }
}

/// `echo`: the caller hears itself.
public struct Echo: Sendable, Hashable, OptionFields {
    /// Milliseconds.
    public var duration = 180_000

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.integer("duration", &duration, .optional, in: 0...86_400_000)
    }
}

/// `sleep`: waits.
public struct Sleep: Sendable, Hashable, OptionFields {
    /// Milliseconds.
    public var duration = 0

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.integer("duration", &duration, .required, in: 0...86_400_000)
    }
}
