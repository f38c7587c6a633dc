/// Why a text was not spoken.
public enum SpeechError: Error, Hashable, Sendable {
    /// No voice speaks it; the caller decides whether another language will do.
    case unknownLanguage(String)
    case tooLong(limit: Int)
    /// SSML that is not well-formed, or has what is not allowed.
    case invalid(String)
    /// Too many texts wait already.
    case busy
    /// espeak-ng or its data is not installed.
    case unavailable
    case failed(String)
}

extension SpeechError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownLanguage(let language): "no voice speaks \(language)"
        case .tooLong(let limit): "the text is longer than \(limit) bytes, or takes longer than five minutes to say"
        case .invalid(let what): "the text is no SSML as it is understood here: \(what)"
        case .busy: "too many texts are waiting to be spoken"
        case .unavailable: "espeak-ng finds no voices: install espeak-ng-data"
        case .failed(let reason): "the text could not be spoken: \(reason)"
        }
    }
}
