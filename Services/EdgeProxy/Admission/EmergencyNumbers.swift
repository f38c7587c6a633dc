/// Whom a request calls when life is at stake: the service URNs of RFC 5031 and the numbers of the country.
struct EmergencyNumbers: Sendable {
    private let numbers: Set<String>

    init(_ numbers: [String]) { self.numbers = Set(numbers) }

    /// `user` is the user part of a SIP or tel URI.
    func contains(user: String) -> Bool { numbers.contains(user) }

    /// `urn:service:sos`, `urn:service:sos.fire` and so on.
    func contains(uri: Span<UInt8>) -> Bool {
        let service: StaticString = "urn:service:sos"
        let length = service.utf8CodeUnitCount
        guard uri.count >= length else { return false }
        let matches = service.withUTF8Buffer { text in
            for index in 0..<length {
                let byte = uri[index]
                guard unsafe (byte &- 65 < 26 ? byte | 32 : byte) == text[index] else { return false }
            }
            return true
        }
        return matches && (uri.count == length || uri[length] == UInt8(ascii: "."))
    }
}
