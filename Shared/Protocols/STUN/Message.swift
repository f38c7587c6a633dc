public import Addresses
internal import Cryptography

/// The index of a STUN message (RFC 8489 §5): where its attributes lie in the bytes it was read from.
///
/// Nothing is copied or allocated: each getter is given the bytes again.
public struct Message: Sendable {
    public enum Class: UInt8, Sendable { case request, indication, success, failure }

    struct Place: Sendable {
        var type: UInt16 = 0
        var start = 0
        var length = 0
    }

    /// The only method ICE knows (RFC 8489 §18.2).
    public static let binding: UInt16 = 1
    static let headerLength = 20
    static let cookie: UInt32 = 0x2112_a442
    static let fingerprintMask: UInt32 = 0x5354_554e
    static let fingerprintLength = 8
    private static let placeCount = 16
    static let integrityLength = 20

    public let kind: Class
    public let method: UInt16
    public private(set) var hasFingerprint = false
    private(set) var places = InlineArray<16, Place>(repeating: Place())
    private(set) var count = 0

    /// Whether bytes on a port shared with other protocols are STUN, by RFC 8489 §5; nothing else is checked.
    public static func isMessage(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= headerLength, bytes[0] & 0xc0 == 0, number32(bytes, 4) == cookie else { return false }
        let length = number16(bytes, 2)
        return length & 3 == 0 && bytes.count == headerLength + Int(length)
    }

    public init(parsing bytes: Span<UInt8>) throws(ParseError) {
        guard Self.isMessage(bytes) else { throw .notSTUN }
        let type = Self.number16(bytes, 0)
        // The class lies in bits 4 and 8, between the bits of the method (§5, figure 3).
        kind = Class(rawValue: UInt8(type >> 4 & 1 | type >> 7 & 2)) ?? .request
        method = type & 0xf | type >> 1 & 0x70 | type >> 2 & 0xf80
        var (at, isProtected) = (Self.headerLength, false)
        while at < bytes.count {
            guard bytes.count - at >= 4 else { throw .truncated }
            let place = Place(type: Self.number16(bytes, at), start: at + 4, length: Int(Self.number16(bytes, at + 2)))
            let next = place.start + (place.length + 3) & ~3
            guard next <= bytes.count else { throw .truncated }
            let known = AttributeType(rawValue: place.type)
            if known == .fingerprint {
                try Self.checkFingerprint(bytes, at, place)
                hasFingerprint = true
            } else if !isProtected {
                // What stands behind MESSAGE-INTEGRITY is not covered by it and is ignored (§14.5).
                if known == .messageIntegrity {
                    guard place.length == Self.integrityLength else { throw .badAttribute }
                    isProtected = true
                }
                guard count < Self.placeCount else { throw .tooManyAttributes }
                places[count] = place
                count += 1
            }
            at = next
        }
    }

    private static func checkFingerprint(_ bytes: Span<UInt8>, _ at: Int, _ place: Place) throws(ParseError) {
        guard place.length == 4, at + fingerprintLength == bytes.count,
            CRC32.checksum(bytes.extracting(first: at)) ^ fingerprintMask == number32(bytes, place.start)
        else { throw .badFingerprint }
    }

    // MARK: Attributes

    /// Where the first attribute of this type is.
    func place(_ type: AttributeType) -> Place? {
        for index in 0..<count where places[index].type == type.rawValue { return places[index] }
        return nil
    }

    public func contains(_ type: AttributeType) -> Bool { type == .fingerprint ? hasFingerprint : place(type) != nil }

    /// The types that a receiver must understand and we do not.
    public func unknownRequired() -> [UInt16] {
        (0..<count).map { places[$0].type }.filter { $0 < AttributeType.firstOptional && AttributeType(rawValue: $0) == nil }
    }

    public var hasUnknownRequired: Bool {
        for index in 0..<count {
            let type = places[index].type
            if type < AttributeType.firstOptional, AttributeType(rawValue: type) == nil { return true }
        }
        return false
    }

    /// Where the value of an attribute lies, for who compares without copying.
    public func range(_ type: AttributeType) -> Range<Int>? { place(type).map { $0.start..<$0.start + $0.length } }

    /// What a response repeats of its request.
    public func transaction(in bytes: Span<UInt8>) -> TransactionID {
        TransactionID(high: Self.number32(bytes, 8), low: UInt64(Self.number32(bytes, 12)) << 32 | UInt64(Self.number32(bytes, 16)))
    }

    /// The value of USERNAME, SOFTWARE or any other attribute, copied.
    public func value(_ type: AttributeType, in bytes: Span<UInt8>) -> [UInt8]? {
        place(type).map { place in (0..<place.length).map { bytes[place.start + $0] } }
    }

    /// PRIORITY.
    public func priority(in bytes: Span<UInt8>) throws(ParseError) -> UInt32? {
        guard let place = place(.priority) else { return nil }
        guard place.length == 4 else { throw .badAttribute }
        return Self.number32(bytes, place.start)
    }

    /// The tie-breaker of ICE-CONTROLLED or ICE-CONTROLLING.
    public func tieBreaker(_ role: AttributeType, in bytes: Span<UInt8>) throws(ParseError) -> UInt64? {
        guard let place = place(role) else { return nil }
        guard place.length == 8 else { throw .badAttribute }
        return UInt64(Self.number32(bytes, place.start)) << 32 | UInt64(Self.number32(bytes, place.start + 4))
    }

    /// The number of ERROR-CODE.
    public func errorCode(in bytes: Span<UInt8>) throws(ParseError) -> Int? {
        guard let place = place(.errorCode) else { return nil }
        guard place.length >= 4 else { throw .badAttribute }
        let (hundreds, rest) = (Int(bytes[place.start + 2] & 7), Int(bytes[place.start + 3]))
        guard (3...6).contains(hundreds), rest < 100 else { throw .badAttribute }
        return hundreds * 100 + rest
    }

    /// XOR-MAPPED-ADDRESS (§14.2).
    public func mappedAddress(in bytes: Span<UInt8>) throws(ParseError) -> SocketAddress? {
        guard let place = place(.xorMappedAddress) else { return nil }
        guard place.length >= 8 else { throw .badAttribute }
        let port = Self.number16(bytes, place.start + 2) ^ UInt16(Self.cookie >> 16)
        let first = Self.number32(bytes, place.start + 4) ^ Self.cookie
        switch (bytes[place.start + 1], place.length) {
        case (1, 8): return SocketAddress(IPAddress(v4: first), port: port)
        case (2, 20):
            var words = InlineArray<4, UInt32>(repeating: first)
            for index in 1..<4 {
                words[index] = Self.number32(bytes, place.start + 4 + 4 * index) ^ Self.number32(bytes, 4 + 4 * index)
            }
            let (high, low) = (UInt64(words[0]) << 32 | UInt64(words[1]), UInt64(words[2]) << 32 | UInt64(words[3]))
            return SocketAddress(IPAddress(v6High: high, v6Low: low), port: port)
        default: throw .badAttribute
        }
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with this key (§14.5): the password, for ICE.
    public func isAuthentic(_ bytes: Span<UInt8>, key: [UInt8]) -> Bool {
        guard let place = place(.messageIntegrity) else { return false }
        var covered = (0..<place.start - 4).map { bytes[$0] }
        let length = UInt16(truncatingIfNeeded: place.start + place.length - Self.headerLength)
        (covered[2], covered[3]) = (UInt8(length >> 8), UInt8(length & 255))
        let given = (0..<place.length).map { bytes[place.start + $0] }
        return equalInConstantTime(DigestAlgorithm.sha1.authenticate(covered, key: key), given)
    }

    static func number16(_ bytes: Span<UInt8>, _ at: Int) -> UInt16 { UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) }

    static func number32(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(number16(bytes, at)) << 16 | UInt32(number16(bytes, at + 2))
    }
}
