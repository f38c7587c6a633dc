public import Addresses

/// Answers Binding requests without credentials, as keep-alives on a SIP port need it (RFC 5626 §4.4.2, RFC 8489 §6.3.1).
///
/// On the wire, headers of IP and UDP counted, an answer is at most 1.36 times what was asked (92 to 68 bytes over IPv6). It
/// allocates nothing.
public enum BindingServer {
    /// No answer is longer.
    public static let answerLength = 64

    private static let unknownListed = 4

    /// Appends the answer to `output`, whose free room is `answerLength` or more; false when there is nothing to answer.
    public static func answer(
        _ request: Span<UInt8>, from source: SocketAddress, into output: inout OutputSpan<UInt8>
    ) throws(ParseError) -> Bool {
        let message = try Message(parsing: request)
        guard message.kind == .request, message.method == Message.binding else { return false }
        let begin = output.count
        if message.hasUnknownRequired {
            refuse(message, request, into: &output)
        } else {
            let length = source.address.isIPv4 ? 8 : 20
            appendHeader(0x0101, length: 4 + length, fingerprint: message.hasFingerprint, request, into: &output)
            append32(UInt32(AttributeType.xorMappedAddress.rawValue) << 16 | UInt32(length), into: &output)
            appendXored(source, request, into: &output)
        }
        if message.hasFingerprint {
            let sum = CRC32.checksum(output.span.extracting(droppingFirst: begin)) ^ Message.fingerprintMask
            append32(UInt32(AttributeType.fingerprint.rawValue) << 16 | 4, into: &output)
            append32(sum, into: &output)
        }
        return true
    }

    /// 420, with the first types that are unknown, so that the answer is never longer than the question.
    private static func refuse(_ message: Message, _ request: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        var unknown = InlineArray<4, UInt16>(repeating: 0)
        var count = 0
        for index in 0..<message.count {
            let type = message.places[index].type
            guard count < unknownListed, type < AttributeType.firstOptional, AttributeType(rawValue: type) == nil else { continue }
            unknown[count] = type
            count += 1
        }
        let padded = (2 * count + 3) & ~3
        appendHeader(0x0111, length: 8 + 4 + padded, fingerprint: message.hasFingerprint, request, into: &output)
        append32(UInt32(AttributeType.errorCode.rawValue) << 16 | 4, into: &output)
        append32(4 << 8 | 20, into: &output)
        append32(UInt32(AttributeType.unknownAttributes.rawValue) << 16 | UInt32(2 * count), into: &output)
        for index in stride(from: 0, to: padded / 2, by: 2) {
            append32(UInt32(unknown[index]) << 16 | UInt32(unknown[index + 1]), into: &output)
        }
    }

    private static func appendHeader(
        _ type: UInt16, length: Int, fingerprint: Bool, _ request: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) {
        let whole = length + (fingerprint ? Message.fingerprintLength : 0)
        append32(UInt32(type) << 16 | UInt32(whole), into: &output)
        for index in 4..<Message.headerLength { output.append(request[index]) }
    }

    private static func appendXored(_ source: SocketAddress, _ request: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        let port = UInt32(source.port ^ UInt16(Message.cookie >> 16))
        if let v4 = source.address.v4 {
            append32(1 << 16 | port, into: &output)
            append32(v4 ^ Message.cookie, into: &output)
        } else {
            append32(2 << 16 | port, into: &output)
            let (high, low) = (source.address.high, source.address.low)
            append32(UInt32(high >> 32) ^ Message.number32(request, 4), into: &output)
            append32(UInt32(truncatingIfNeeded: high) ^ Message.number32(request, 8), into: &output)
            append32(UInt32(low >> 32) ^ Message.number32(request, 12), into: &output)
            append32(UInt32(truncatingIfNeeded: low) ^ Message.number32(request, 16), into: &output)
        }
    }

    private static func append32(_ number: UInt32, into output: inout OutputSpan<UInt8>) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}
