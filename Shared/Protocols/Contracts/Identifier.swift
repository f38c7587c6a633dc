/// Ids of resources: a prefix and a ULID, so they sort by the time they were made (`call_01J...`).
public enum Identifier {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// `milliseconds` is Unix time; `random` gives 80 of its 128 bits. Both come from the platform.
    public static func make(_ prefix: String, milliseconds: Int64, random: (UInt64, UInt64)) -> String {
        var text = Array(prefix.utf8)
        text.append(UInt8(ascii: "_"))
        let time = UInt64(clamping: milliseconds)
        for shift in stride(from: 45, through: 0, by: -5) { text.append(alphabet[Int(time >> UInt64(shift) & 31)]) }
        for word in [random.0, random.1] {
            for shift in stride(from: 35, through: 0, by: -5) { text.append(alphabet[Int(word >> UInt64(shift) & 31)]) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether `text` can be an id with this prefix; a cheap guard in front of every look-up by an outsider's id.
    public static func isPlausible(_ text: String, prefix: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == prefix.utf8.count + 27 && text.hasPrefix(prefix + "_")
            && bytes.suffix(26).allSatisfy { alphabet.contains($0) }
    }
}
