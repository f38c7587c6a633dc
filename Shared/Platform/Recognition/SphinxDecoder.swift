internal import CPocketsphinx
internal import Glibc

/// One decoder of pocketsphinx with the American English model of the distribution; one thread's at a time.
///
/// The model is made for sound of 16 kHz. What comes from telephones is doubled, and a soft noise fills the upper half of the
/// band: filters that hear nothing at all are further from what the model has learnt than some that hear a hiss.
@safe struct SphinxDecoder: ~Copyable {
    /// Where the distribution puts the model.
    static let folder = "/usr/share/pocketsphinx/model/en-us"
    private static let grammar = "hints"
    /// The longest utterance, in samples of 8 kHz: memory grows with it.
    static let longest = 30 * 8000

    private let decoder: OpaquePointer
    private var doubler = Doubler()

    /// Nil when the model cannot be read. With a language model it hears any sentence, at half the speed of speech; without, the
    /// hints only.
    init?(folder: String, languageModel: Bool) {
        let lm = languageModel ? "\(folder)/en-us.lm.bin" : nil
        let opened = unsafe "\(folder)/en-us".withCString { model in
            unsafe "\(folder)/cmudict-en-us.dict".withCString { dictionary in
                unsafe lm.withOptionalCString { unsafe tandem_sphinx_open(model, dictionary, $0) }
            }
        }
        guard let opened = unsafe opened else { return nil }
        unsafe decoder = opened
    }

    deinit { unsafe ps_free(decoder) }

    /// Hears these phrases only; those with a word that the dictionary lacks are left out. False when none is left.
    mutating func expect(_ phrases: [String]) -> Bool {
        let known = phrases.map(Self.words).filter { words in
            !words.isEmpty && words.allSatisfy { word in isKnown(word) }
        }
        guard !known.isEmpty else { return false }
        let text = "#JSGF V1.0; grammar hints; public <hints> = " + known.map { $0.joined(separator: " ") }.joined(separator: " | ") + ";"
        guard unsafe ps_set_jsgf_string(decoder, Self.grammar, text) == 0 else { return false }
        return unsafe ps_set_search(decoder, Self.grammar) == 0
    }

    private func isKnown(_ word: String) -> Bool {
        guard let found = unsafe ps_lookup_word(decoder, word) else { return false }
        unsafe ckd_free(found)
        return true
    }

    /// Lower-case words of letters and apostrophes: nothing else gets into the grammar.
    static func words(_ phrase: String) -> [String] {
        let words = phrase.lowercased().split { !($0 == "'" || ("a"..."z").contains($0)) }.map(String.init)
        return words.count <= 16 && words.allSatisfy { $0.utf8.count <= 40 } ? words : []
    }

    mutating func begin() -> Bool {
        doubler = Doubler()
        return unsafe ps_start_utt(decoder) == 0
    }

    mutating func hear(_ samples: [Int16]) {
        var doubled = doubler.double(samples)
        _ = unsafe doubled.withUnsafeMutableBufferPointer { buffer in
            unsafe ps_process_raw(decoder, buffer.baseAddress, buffer.count, 0, 0)
        }
    }

    /// What has been understood so far.
    func hypothesis() -> String {
        var score: Int32 = 0
        guard let text = unsafe ps_get_hyp(decoder, &score) else { return "" }
        return unsafe String(cString: text)
    }

    mutating func end() -> (text: String, confidence: Double?) {
        unsafe ps_end_utt(decoder)
        let text = hypothesis()
        guard !text.isEmpty else { return ("", nil) }
        // Of a grammar's results pocketsphinx knows no probability: the logarithm is 0.
        let logarithm = unsafe ps_get_prob(decoder)
        let probability = unsafe logmath_exp(ps_get_logmath(decoder), logarithm)
        return (text, logarithm != 0 && probability.isFinite ? min(1, max(0, probability)) : nil)
    }
}

/// Doubles the rate of 8 kHz, by a windowed sinc of sixteen taps, and adds the hiss.
private struct Doubler {
    private static let taps: [Double] = (-8..<8).map { tap in
        let distance = Double(tap) + 0.5
        return (0.5 + 0.5 * cos(.pi * distance / 8.5)) * sin(.pi * distance) / (.pi * distance)
    }

    private var history = [Int16](repeating: 0, count: 16)
    private var noise: UInt32 = 1

    mutating func double(_ samples: [Int16]) -> [Int16] {
        var doubled: [Int16] = []
        doubled.reserveCapacity(samples.count * 2)
        for sample in samples {
            history.removeFirst()
            history.append(sample)
            var between = 0.0
            for tap in 0..<16 { between += Double(history[tap]) * Self.taps[tap] }
            doubled.append(hiss(Double(history[7])))
            doubled.append(hiss(between))
        }
        return doubled
    }

    /// About 50 dB below full scale.
    private mutating func hiss(_ sample: Double) -> Int16 {
        noise = noise &* 1_664_525 &+ 1_013_904_223
        let one = Int32(noise >> 16 & 0xff) - 128
        noise = noise &* 1_664_525 &+ 1_013_904_223
        let other = Int32(noise >> 16 & 0xff) - 128
        return Int16(max(-32768, min(32767, sample.rounded() + Double(one + other) * 0.8)))
    }
}

extension String? {
    fileprivate func withOptionalCString<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        switch self {
        case .some(let text): unsafe text.withCString { unsafe body($0) }
        case .none: body(nil)
        }
    }
}
