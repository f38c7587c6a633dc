extension Message {
    /// Indexes one datagram: CRLFs before the start line are skipped, bytes beyond Content-Length dropped (RFC 3261 §18.3).
    public static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(ParseError) -> Message {
        guard bytes.count <= limits.messageLength else { throw .tooLong }
        var pass = IndexPass(limits: limits)
        try pass.run(bytes.span)
        let available = bytes.count - pass.position
        let length = pass.contentLength ?? available
        guard length <= available else { throw .truncatedBody }
        guard let frame = pass.frame(bodyLength: length) else { throw .badStartLine }
        let end = pass.position + length
        return Message(bytes: end == bytes.count ? bytes : Array(bytes[..<end]), fields: pass.fields, frame: frame)
    }

    /// A datagram of nothing but line ends: the keep-alive of RFC 5626 §3.5.1.
    public static func isKeepAlive(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 == 13 || $0 == 10 } }

    /// The same of bytes that are still in the buffer they were read into.
    public static func isKeepAlive(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where bytes[index] != 13 && bytes[index] != 10 { return false }
        return true
    }
}
