/// Names of variables that are the platform's: a flow reads them.
extension Variables {
    private static let namesOfDigits: Set<String> = [digits, "call.digits", "digits"]
    private static let families: Set<String> = ["voipbin", "call", "amd", Results.name]

    static func areDigits(_ name: String) -> Bool { namesOfDigits.contains(name) }

    /// Whether a variable of that name would take the place of one of the platform's, or hide it.
    static func isReserved(_ name: String) -> Bool {
        guard let end = name.utf8.firstIndex(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") }) else {
            return name == Results.name || areDigits(name)
        }
        return families.contains(String(name[..<end]))
    }
}
