/// Dual-tone multi-frequency signals of ITU-T Q.23 as sound; as RTP events they are RTP's `TelephoneEvent`.
public enum DTMF {
    static let low: [Double] = [697, 770, 852, 941]
    static let high: [Double] = [1209, 1336, 1477, 1633]
    static let keypad: [Character] = Array("123A456B789C*0#D")

    /// The two frequencies of a key, or nil for a character no keypad has.
    public static func frequencies(of digit: Character) -> (low: Double, high: Double)? {
        let digit = Character(digit.uppercased())
        guard let key = keypad.firstIndex(of: digit) else { return nil }
        return (low[key / 4], high[key % 4])
    }

    /// One key pressed for `milliseconds`; nil for a character no keypad has.
    public static func samples(of digit: Character, milliseconds: Int = 100, level: Level = .dBm0(-9)) -> Samples? {
        guard let (low, high) = frequencies(of: digit) else { return nil }
        var tone = Tone(frequencies: [low, high], level: level)
        return Samples(tone.next(milliseconds * Samples.rate / 1000))
    }
}
