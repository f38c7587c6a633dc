import Bytes

/// The part of a representation that a request asks for (RFC 9110 §14): one range of bytes.
enum ByteRange: Equatable {
    case all
    case part(ClosedRange<Int>)
    case unsatisfiable

    /// A field that is not understood, or asks for several ranges, means all (§14.2). `length` is what there is.
    init(_ field: String?, length: Int) {
        self = .all
        guard let field, field.lowercased().hasPrefix("bytes=") else { return }
        let parts = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        let (first, last) = (Self.number(parts[0]), Self.number(parts[1]))
        switch (first, last) {
        case (let first?, nil) where parts[1].isEmpty:
            self = first < length ? .part(first...(length - 1)) : .unsatisfiable
        case (let first?, let last?) where first <= last:
            self = first < length ? .part(first...min(last, length - 1)) : .unsatisfiable
        case (nil, let count?) where parts[0].isEmpty:
            self = count > 0 && length > 0 ? .part(max(0, length - count)...(length - 1)) : .unsatisfiable
        default: break
        }
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        return Int(text)
    }
}
