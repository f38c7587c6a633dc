/// What a flow may say and nobody here can do. It fails when it is due, so that the flow can branch by the code.
extension Action.Kind {
    /// The code, once variables have been put in; nil: it can be begun.
    var refusal: String? {
        switch self {
        case .externalMediaStart(let option) where !option.isSupported: "unsupported_media"
        case .recordingStart(let option) where option.format == .mp3: "unsupported_format"
        case .digitsSend(let option) where option.digits.isEmpty: "no_digits"
        default: nil
        }
    }
}
