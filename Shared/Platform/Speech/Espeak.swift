internal import CEspeak

/// The espeak-ng library. Its state is global: called from the synthesiser's thread only.
enum Espeak {
    /// The voices' sampling rate, or nil when the library found no data; asked once, on the first text.
    private static let rate: Int? = {
        // Without the "don't exit" option a missing data folder would end the process.
        let rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 200, nil, Int32(espeakINITIALIZE_DONT_EXIT))
        guard rate > 0 else { return nil }
        unsafe espeak_SetSynthCallback(collect)
        // <audio src> in SSML would make the library open local files: 1 = do not, speak the alternative text.
        unsafe espeak_SetUriCallback { _, _, _ in 1 }
        return Int(rate)
    }()

    static func speak(_ utterance: Utterance, longest: Int) throws(SpeechError) -> (samples: [Int16], rate: Int) {
        guard let rate else { throw .unavailable }
        try choose(language: utterance.language, variant: variant(utterance.voice))
        espeak_SetParameter(espeakRATE, Int32(utterance.rate), 0)
        espeak_SetParameter(espeakPITCH, Int32(utterance.pitch), 0)
        let recording = Recording(limit: longest * rate / 8000)
        // Control characters start commands embedded in the text.
        let text = utterance.text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
        var flags = UInt32(espeakCHARS_UTF8)
        if utterance.isMarkup { flags |= UInt32(espeakSSML) }
        let outcome = unsafe String(text).withCString { text in
            unsafe espeak_Synth(
                text, 0, 0, POS_CHARACTER, 0, flags, nil, Unmanaged.passUnretained(recording).toOpaque())
        }
        withExtendedLifetime(recording) {}
        guard outcome == EE_OK else { throw .failed("espeak-ng error \(outcome.rawValue)") }
        guard !recording.isCutOff else { throw .tooLong(limit: Synthesiser.largestText) }
        return (recording.samples, rate)
    }

    /// Tries the tag as given, then without its last parts: `de-AT`, `de`.
    private static func choose(language: String, variant: String) throws(SpeechError) {
        // The library takes a voice's name for a path, so nothing but the letters of RFC 5646 may get there.
        let parts = language.lowercased().split(separator: "-", omittingEmptySubsequences: false)
        let isTag = parts.allSatisfy {
            (1...8).contains($0.utf8.count) && $0.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
        }
        // The primary subtag has two or three letters: longer ones are names of single voices.
        guard isTag, parts.count <= 4, let primary = parts.first, (2...3).contains(primary.utf8.count) else {
            throw .unknownLanguage(String(language.prefix(40)))
        }
        for length in stride(from: parts.count, to: 0, by: -1) {
            let tag = parts[..<length].joined(separator: "-")
            for voice in [voices[tag], tag] {
                if let voice, unsafe espeak_SetVoiceByName(voice + variant) == EE_OK { return }
            }
        }
        throw .unknownLanguage(language)
    }

    /// The library's variants of every voice, of men and of women; `male` and `female` are one of each, any other name is none.
    private static func variant(_ voice: String?) -> String {
        let name = voice?.lowercased() ?? ""
        let known = ["male": "m3", "female": "f2", "whisper": "whisper", "croak": "croak"]
        if let known = known[name] { return "+" + known }
        guard name.utf8.count == 2, let kind = name.first, let number = name.last?.wholeNumberValue, name.utf8.last.map({ $0 < 58 }) == true
        else { return "" }
        return kind == "m" && (1...8).contains(number) || kind == "f" && (1...5).contains(number) ? "+" + name : ""
    }

    /// Tags whose voice has another name.
    private static let voices = ["en": "en-us", "zh": "cmn", "no": "nb", "pt-pt": "pt", "en-uk": "en-gb"]
}

/// What the library has spoken so far; lives for one call of `speak`.
private final class Recording {
    let limit: Int
    var samples: [Int16] = []
    var isCutOff = false

    init(limit: Int) { self.limit = limit }

    /// False ends the synthesis.
    func append(_ spoken: Span<Int16>) -> Bool {
        guard samples.count + spoken.count <= limit else {
            isCutOff = true
            return false
        }
        for index in spoken.indices { samples.append(spoken[index]) }
        return true
    }
}

private let collect: @convention(c) (UnsafeMutablePointer<Int16>?, Int32, UnsafeMutablePointer<espeak_EVENT>?) -> Int32 = {
    spoken, count, events in
    guard let spoken = unsafe spoken, count > 0, let context = unsafe events?.pointee.user_data else { return 0 }
    let recording = unsafe Unmanaged<Recording>.fromOpaque(context).takeUnretainedValue()
    let block = unsafe UnsafeBufferPointer(start: spoken, count: Int(count))
    return unsafe recording.append(block.span) ? 0 : 1
}
