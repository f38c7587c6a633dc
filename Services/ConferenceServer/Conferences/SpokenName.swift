import Bytes

/// What somebody is called when a conference announces it: the display name of its phone, else its number digit by digit.
///
/// Both come from the caller. Of a name nothing is left but letters, digits and what stands between them, so that it is no markup
/// and no sentence; of a number its digits.
enum SpokenName {
    static let longestName = 40
    static let mostDigits = 20

    /// Nil: who it is cannot be said.
    static func text(name: String?, number: String?) -> String? {
        name.flatMap(words) ?? number.flatMap { digits($0) ?? words($0) }
    }

    private static func words(_ name: String) -> String? {
        var text = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(4 * longestName) {
            let isPart = scalar.properties.isAlphabetic || scalar.properties.numericType != nil || isMark(scalar)
            if isPart || (scalar == "-" || scalar == "'" || scalar == "’") && !text.isEmpty && text.last != " " {
                text.append(scalar)
            } else if !text.isEmpty, text.last != " " {
                text.append(" ")
            }
            guard text.count < longestName else { break }
        }
        while text.last == " " { text.removeLast() }
        guard text.contains(where: { $0.properties.isAlphabetic }) else { return nil }
        let words = String(text)
        return unknown.contains(words.lowercased()) ? nil : words
    }

    /// What makes another letter of the one before.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark: true
        default: false
        }
    }

    private static func digits(_ number: String) -> String? {
        let bytes = number.utf8.prefix(64)
        guard bytes.allSatisfy({ ASCII.isDigit($0) || [0x2b, 0x2a, 0x23].contains($0) }) else { return nil }
        let digits = bytes.filter(ASCII.isDigit).prefix(mostDigits)
        guard !digits.isEmpty else { return nil }
        // Apart from each other they are no thousands.
        return digits.map { String(UnicodeScalar($0)) }.joined(separator: ", ")
    }

    private static let unknown: Set<String> = ["anonymous", "unknown", "unavailable", "restricted"]
}
