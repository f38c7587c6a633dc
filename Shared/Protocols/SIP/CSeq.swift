/// The number of a request within its dialog and the method it belongs to (RFC 3261 §20.16).
public struct CSeq: Hashable, Sendable, Codable {
    public var number: UInt32
    public var method: Method

    public init(_ number: UInt32, _ method: Method) { (self.number, self.method) = (number, method) }

    init?(parsing scanner: inout Scanner) {
        scanner.skipBlanks()
        // §8.1.1.5: less than 2**31.
        guard let value = scanner.decimal(), value < 1 << 31, let blank = scanner.next, Scanner.isBlank(blank) else {
            return nil
        }
        scanner.skipBlanks()
        guard let name = scanner.token() else { return nil }
        (number, method) = (UInt32(value), Method(scanner.bytes, name))
        scanner.skipBlanks()
        guard scanner.isAtEnd else { return nil }
    }
}

extension CSeq: CustomStringConvertible {
    public var description: String { "\(number) \(method)" }
}
