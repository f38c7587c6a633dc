internal import Bytes

/// The records of a datagram (RFC 6347 §4.1), as far as they can be read without keys.
enum Record {
    private static let headerLength = 13
    private static let alert: UInt8 = 21
    private static let handshake: UInt8 = 22
    private static let clientHello: UInt8 = 1
    private static let helloVerifyRequest: UInt8 = 3
    /// Behind the headers of record and message, and the version.
    private static let randomRange = 27..<59

    enum Verdict {
        case taken
        /// No DTLS, cut short, or of another version.
        case malformed
        /// An alert that anybody could have sent.
        case alert
    }

    /// Whether a datagram is given to OpenSSL: whole records, of DTLS 1.0 (which a ClientHello may say) or 1.2, none of them an alert
    /// without protection.
    static func judge(_ datagram: Span<UInt8>) -> Verdict {
        var at = 0
        while at < datagram.count {
            guard datagram.count - at >= headerLength, (20...63).contains(datagram[at]), datagram[at + 1] == 0xfe,
                datagram[at + 2] == 0xff || datagram[at + 2] == 0xfd
            else { return .malformed }
            let length = Int(datagram[at + 11]) << 8 | Int(datagram[at + 12])
            guard datagram.count - at - headerLength >= length else { return .malformed }
            let isClear = datagram[at + 3] == 0 && datagram[at + 4] == 0
            if isClear && datagram[at] == alert { return .alert }
            at += headerLength + length
        }
        return datagram.isEmpty ? .malformed : .taken
    }

    /// The random of the ClientHello that a datagram begins with, if it begins a handshake (epoch 0, message 0 from its start;
    /// RFC 6347 §4.2.2): it tells one attempt of a client from another.
    static func clientRandom(_ datagram: Span<UInt8>) -> [UInt8]? {
        guard judge(datagram) == .taken, datagram.count >= randomRange.upperBound, datagram[0] == handshake,
            datagram[3] == 0, datagram[4] == 0, datagram[headerLength] == clientHello
        else { return nil }
        for index in (headerLength + 4)..<(headerLength + 9) where datagram[index] != 0 { return nil }
        return datagram.extracting(randomRange).array()
    }

    /// Numbers the records without protection anew. Anybody could have given them any number, and OpenSSL, told one far ahead, takes all
    /// that the peer itself sends for repetitions (RFC 6347 §4.1.2.6). The messages within have numbers of their own.
    static func renumber(_ datagram: inout [UInt8], next: inout UInt64) {
        var at = 0
        while datagram.count - at >= headerLength {
            if datagram[at + 3] == 0 && datagram[at + 4] == 0 {
                for place in 0..<6 { datagram[at + 10 - place] = UInt8(truncatingIfNeeded: next >> (8 * UInt64(place))) }
                next += 1
            }
            at += headerLength + Int(datagram[at + 11]) << 8 + Int(datagram[at + 12])
        }
    }

    /// Whether it begins with a HelloVerifyRequest (RFC 6347 §4.2.1).
    static func isVerifyRequest(_ datagram: Span<UInt8>) -> Bool {
        datagram.count > headerLength && datagram[0] == handshake && datagram[headerLength] == helloVerifyRequest
    }
}
