/// Whom a request calls when life is at stake: the service URNs of RFC 5031 and the numbers of the country.
struct EmergencyNumbers: Sendable {
    private let numbers: [[UInt8]]

    init(_ numbers: [String]) { self.numbers = numbers.map { Array($0.utf8) } }

    /// `user` is the user part of a SIP URI, or what a tel URI names.
    func contains(user: Span<UInt8>) -> Bool {
        for number in numbers where number.count == user.count {
            if user.indices.allSatisfy({ user[$0] == number[$0] }) { return true }
        }
        return false
    }

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
