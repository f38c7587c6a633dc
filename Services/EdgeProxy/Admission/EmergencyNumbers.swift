/// The numbers that a call for help dials, besides its names (RFC 5031).
struct EmergencyNumbers: Sendable {
    private let numbers: [[UInt8]]

    init(_ numbers: [String]) { self.numbers = numbers.map { Array($0.utf8) } }

    /// The user part of a SIP URI: up to its parameters, where it is a telephone subscriber's (RFC 3261 §19.1.6), as it is looked up inside.
    func contains(user: Span<UInt8>) -> Bool { contains(user, skipsSeparators: false) }

    /// What a `tel` URI names: its visual separators mean nothing (RFC 3966 §3, §5.1.1), and its parameters only where the number is one.
    func contains(telephone: Span<UInt8>) -> Bool { contains(telephone, skipsSeparators: true) }

    private func contains(_ text: Span<UInt8>, skipsSeparators: Bool) -> Bool {
        for number in numbers where Self.isSame(number, text, skipsSeparators: skipsSeparators) { return true }
        return false
    }

    /// Byte by byte: this stands before all that is allocated.
    private static func isSame(_ number: [UInt8], _ text: Span<UInt8>, skipsSeparators: Bool) -> Bool {
        var matched = 0
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: ";") { break }
            if skipsSeparators, isSeparator(byte) { continue }
            guard matched < number.count, number[matched] == byte else { return false }
            matched &+= 1
        }
        return matched == number.count && matched > 0
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
    }
}
