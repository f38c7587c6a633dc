public import Addresses
internal import Cryptography

/// Writes one STUN message, attribute by attribute, then MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §5, §14).
public struct MessageWriter: ~Copyable {
    private var bytes: [UInt8] = []

    /// Long enough for what ICE sends; longer messages grow.
    private static let usualLength = 192
    private static let longestValue = 763

    public init(_ kind: Message.Class, method: UInt16 = Message.binding, transaction: TransactionID) {
        bytes.reserveCapacity(Self.usualLength)
        let bits = UInt16(kind.rawValue)
        // The class lies in bits 4 and 8, between the bits of the method (§5, figure 3).
        append16(method & 0xf | (method & 0x70) << 1 | (method & 0xf80) << 2 | (bits & 1) << 4 | (bits & 2) << 7)
        append16(0)
        append32(Message.cookie)
        append32(transaction.high)
        append64(transaction.low)
    }

    // MARK: Attributes

    /// USERNAME, SOFTWARE and other text; what is longer than any of them may be is cut (§14.3, §14.14).
    public mutating func text(_ type: AttributeType, _ value: [UInt8]) {
        let value = value.prefix(Self.longestValue)
        begin(type, length: value.count)
        bytes.append(contentsOf: value)
        while bytes.count & 3 != 0 { bytes.append(0) }
    }

    /// PRIORITY (RFC 8445 §16.1).
    public mutating func priority(_ value: UInt32) {
        begin(.priority, length: 4)
        append32(value)
    }

    /// USE-CANDIDATE (RFC 8445 §16.1).
    public mutating func useCandidate() { begin(.useCandidate, length: 0) }

    /// ICE-CONTROLLED or ICE-CONTROLLING (RFC 8445 §16.1).
    public mutating func tieBreaker(_ role: AttributeType, _ value: UInt64) {
        begin(role, length: 8)
        append64(value)
    }

    /// XOR-MAPPED-ADDRESS (§14.2).
    public mutating func mappedAddress(_ address: SocketAddress) {
        begin(.xorMappedAddress, length: address.address.isIPv4 ? 8 : 20)
        let port = address.port ^ UInt16(Message.cookie >> 16)
        if let v4 = address.address.v4 {
            append32(1 << 16 | UInt32(port))
            append32(v4 ^ Message.cookie)
        } else {
            append32(2 << 16 | UInt32(port))
            append64(address.address.high ^ number64(at: 4))
            append64(address.address.low ^ number64(at: 12))
        }
    }

    /// ERROR-CODE (§14.8), without words: nobody reads them, and an answer must not be longer than what it answers.
    public mutating func errorCode(_ code: Int) {
        let (hundreds, rest) = max(0, code).quotientAndRemainder(dividingBy: 100)
        begin(.errorCode, length: 4)
        append32(UInt32(hundreds & 7) << 8 | UInt32(rest))
    }

    /// UNKNOWN-ATTRIBUTES (§14.13).
    public mutating func unknownAttributes(_ types: [UInt16]) {
        begin(.unknownAttributes, length: 2 * types.count)
        for type in types { append16(type) }
        if types.count & 1 != 0 { append16(0) }
    }

    // MARK: The end

    /// The message as it is.
    public consuming func finish() -> [UInt8] {
        setLength(bytes.count)
        return bytes
    }

    /// With FINGERPRINT (§14.7).
    public consuming func fingerprinted() -> [UInt8] {
        appendFingerprint()
        return bytes
    }

    /// With MESSAGE-INTEGRITY by this key, the password of short-term credentials, and FINGERPRINT (§14.5, §14.7).
    public consuming func sealed(key: [UInt8]) -> [UInt8] {
        setLength(bytes.count + 4 + Message.integrityLength)
        let code = DigestAlgorithm.sha1.authenticate(bytes, key: key)
        begin(.messageIntegrity, length: code.count)
        bytes.append(contentsOf: code)
        appendFingerprint()
        return bytes
    }

    private mutating func appendFingerprint() {
        setLength(bytes.count + Message.fingerprintLength)
        let sum = CRC32.checksum(bytes.span) ^ Message.fingerprintMask
        begin(.fingerprint, length: 4)
        append32(sum)
    }

    // MARK: Numbers

    private mutating func begin(_ type: AttributeType, length: Int) {
        append16(type.rawValue)
        append16(UInt16(clamping: length))
    }

    private mutating func setLength(_ whole: Int) {
        let length = UInt16(clamping: whole - Message.headerLength)
        (bytes[2], bytes[3]) = (UInt8(length >> 8), UInt8(length & 255))
    }

    private func number64(at index: Int) -> UInt64 {
        UInt64(Message.number32(bytes.span, index)) << 32 | UInt64(Message.number32(bytes.span, index + 4))
    }

    private mutating func append16(_ number: UInt16) {
        bytes.append(UInt8(number >> 8))
        bytes.append(UInt8(truncatingIfNeeded: number))
    }

    private mutating func append32(_ number: UInt32) {
        append16(UInt16(number >> 16))
        append16(UInt16(truncatingIfNeeded: number))
    }

    private mutating func append64(_ number: UInt64) {
        append32(UInt32(number >> 32))
        append32(UInt32(truncatingIfNeeded: number))
    }
}
