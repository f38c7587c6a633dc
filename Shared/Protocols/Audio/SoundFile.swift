internal import CSndfile

/// Reads a sound file held in memory through libsndfile: WAV, AIFF, AU, FLAC, Ogg Vorbis and Opus, MP3, PCM and G.711 inside.
///
/// The bytes are hostile: kinds of file that nobody needs are refused before the library sees them, and the sound is made
/// telephone quality chunk by chunk, so what is held is bounded by the length that is allowed.
public enum SoundFile {
    /// Seconds that any file may hold, however small it is, and samples a byte of it beyond these: silence compresses well,
    /// but ten minutes in a kilobyte are meant to keep a processor busy.
    static let freeSeconds = 60
    static let largestExpansion = 400

    /// How to read bytes that carry no header.
    public enum Encoding: Sendable {
        case selfDescribing
        case raw(G711.Law)
        /// 16-bit little-endian linear, 8 kHz.
        case rawLinear

        /// By the extension of a file name: `.ul`, `.ulaw`, `.pcmu`, `.al`, `.alaw`, `.pcma`, `.sln`; anything else has a
        /// header.
        public init(fileName: String) {
            switch fileName.split(separator: ".").last.map({ $0.lowercased() }) {
            case "ul", "ulaw", "pcmu": self = .raw(.ulaw)
            case "al", "alaw", "pcma": self = .raw(.alaw)
            case "sln": self = .rawLinear
            default: self = .selfDescribing
            }
        }
    }

    /// Mono at 8 kHz, whatever was inside; `seconds` bounds the length of the sound.
    public static func decode(
        _ bytes: [UInt8], _ encoding: Encoding = .selfDescribing, seconds: Int = 600
    ) throws(SoundError) -> Samples {
        let limit = seconds * Samples.rate
        let samples: Samples
        switch encoding {
        case .raw(let law):
            guard bytes.count <= limit else { throw .tooLong(limit: seconds) }
            samples = Samples(G711.decode(bytes, law))
        case .rawLinear:
            guard bytes.count / 2 <= limit else { throw .tooLong(limit: seconds) }
            samples = Samples(
                stride(from: 0, to: bytes.count - 1, by: 2).map {
                    Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
                })
        case .selfDescribing:
            guard Container(of: bytes) != nil else { throw .unrecognised }
            samples = Samples(try read(bytes, seconds: seconds))
        }
        guard samples.count > 0 else { throw .empty }
        return samples
    }

    private static func read(_ bytes: [UInt8], seconds: Int) throws(SoundError) -> [Int16] {
        do {
            var source = MemorySource(bytes: bytes)
            return try unsafe withUnsafeMutablePointer(to: &source) { source in
                var access = MemorySource.access
                var description = SF_INFO()
                guard let file = unsafe sf_open_virtual(&access, Int32(SFM_READ), &description, source) else {
                    throw SoundError.unrecognised
                }
                defer { _ = unsafe sf_close(file) }
                guard Container.isRead(description.format) else { throw SoundError.unrecognised }
                return try unsafe mixDown(file, description, bytes: bytes.count, seconds: seconds)
            }
        } catch let error as SoundError {
            throw error
        } catch {
            throw .unrecognised
        }
    }

    /// All channels averaged into one, at 8 kHz.
    private static func mixDown(
        _ file: OpaquePointer, _ description: SF_INFO, bytes: Int, seconds: Int
    ) throws(SoundError) -> [Int16] {
        let (channels, rate) = (Int(description.channels), Int(description.samplerate))
        guard (1...8).contains(channels) else { throw .unsupported("\(channels) channels") }
        var stream = try ResamplingStream(rate: rate)
        let (longest, densest) = (seconds * rate, freeSeconds * rate + bytes * largestExpansion)
        let chunk = 4096
        var interleaved = [Float](repeating: 0, count: chunk * channels)
        var mono = [Float](repeating: 0, count: chunk)
        var samples: [Int16] = []
        var count = 0
        while true {
            let read = unsafe interleaved.withUnsafeMutableBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe Int(sf_readf_float(file, $0, sf_count_t(chunk))) } ?? 0
            }
            let frames = min(max(0, read), chunk)
            guard frames > 0 else { break }
            count += frames
            guard count <= longest else { throw .tooLong(limit: seconds) }
            guard count <= densest else { throw .overcompressed(limit: largestExpansion) }
            for frame in 0..<frames {
                var sum: Float = 0
                for channel in 0..<channels { sum += interleaved[frame * channels + channel] }
                // A decoder may hand out NaN for a damaged frame, which would stay in the filter for ever.
                mono[frame] = sum.isFinite ? min(max(sum / Float(channels), -1), 1) : 0
            }
            try stream.append(mono, count: frames, to: &samples)
        }
        try stream.finish(&samples)
        let failure = unsafe sf_error(file)
        // What was decoded before the damage is still sound; a file that gave nothing is an error.
        guard failure == 0 || !samples.isEmpty else { throw .damaged("libsndfile error \(failure)") }
        return samples
    }
}
