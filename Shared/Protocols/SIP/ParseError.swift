/// Why received bytes are no SIP message. Small and without payload: bad input costs a counter, nothing else.
public enum ParseError: Error, Sendable, CaseIterable {
    case empty, tooLong, lineTooLong, tooManyHeaders, tooManyVias
    case badStartLine, badHeaderLine, controlByte, unterminatedHeaders
    case badContentLength, conflictingContentLength, missingContentLength, truncatedBody

    /// More of something than `Limits` allows.
    public var isAboutSize: Bool {
        switch self {
        case .tooLong, .lineTooLong, .tooManyHeaders, .tooManyVias: true
        default: false
        }
    }
}
