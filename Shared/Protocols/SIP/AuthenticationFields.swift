/// `Digest name=value, name="value", ...` taken apart.
struct AuthenticationFields {
    private var values: [String: String] = [:]

    init?(_ text: String) {
        let bytes = Array(text.utf8)
        var scanner = Scanner(bytes.span)
        scanner.skipBlanks()
        guard scanner.skip("Digest"), let blank = scanner.next, Scanner.isBlank(blank) else { return nil }
        scanner.skipBlanks()
        repeat {
            guard let nameRange = scanner.token(), scanner.skip(UInt8(ascii: "=")) else { return nil }
            let name = bytes.span.text(nameRange).lowercased()
            guard values[name] == nil, values.count < 32 else { return nil }
            if scanner.next == UInt8(ascii: "\"") {
                guard let value = scanner.quotedString() else { return nil }
                values[name] = bytes.span.unquoted(value)
            } else {
                let range = scanner.run { $0 == UInt8(ascii: ",") || Scanner.isBlank($0) }
                guard !range.isEmpty else { return nil }
                values[name] = bytes.span.text(range)
            }
        } while scanner.skip(UInt8(ascii: ","))
        guard scanner.isAtEnd else { return nil }
    }

    subscript(name: String) -> String? { values[name] }
}
