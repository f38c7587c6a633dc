/// Ids that follow from what they name, so that performing a command twice names the same thing.
public enum StableID {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// `length` characters of Crockford's base 32.
    public static func text(_ name: String, salt: String, length: Int) -> String {
        let input = Array((name + "\u{0}" + salt).utf8)
        var text: [UInt8] = []
        var round: UInt64 = 0
        while text.count < length {
            let word = StableHash.hash(input, seed: round)
            for shift in stride(from: 0, to: 60, by: 5) where text.count < length { text.append(alphabet[Int(word >> UInt64(shift) & 31)]) }
            round += 1
        }
        return String(decoding: text, as: UTF8.self)
    }
}
