internal import Bytes

/// The services that are called when life is at stake (RFC 5031 §4.2): `urn:service:sos`, and all that stands below it, like
/// `urn:service:sos.fire`. Their names have no case (§3).
public enum EmergencyService {
    private static let name: StaticString = "urn:service:sos"

    public static func isNamed(by uri: Span<UInt8>) -> Bool {
        let length = name.utf8CodeUnitCount
        guard uri.count >= length, ASCII.equalsIgnoringCase(uri.extracting(0..<length), name) else { return false }
        guard uri.count > length else { return true }
        guard uri[length] == UInt8(ascii: "."), uri[uri.count - 1] != UInt8(ascii: ".") else { return false }
        for index in length..<uri.count {
            let byte = uri[index]
            guard ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { return false }
        }
        return true
    }
}

extension URI {
    /// The emergency service that this URI names, in lower case.
    public var emergencyService: String? {
        guard opaque != nil else { return nil }
        let text = description.lowercased()
        return EmergencyService.isNamed(by: Array(text.utf8).span) ? text : nil
    }
}
