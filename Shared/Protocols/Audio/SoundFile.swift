internal import CSndfile

/// Reads a sound file held in memory through libsndfile: WAV, AIFF, AU, FLAC, Ogg Vorbis and Opus, MP3, PCM and G.711 inside.
///
/// The bytes are hostile: the length of the result is bounded before anything is allocated for it.
public enum SoundFile {
    /// Samples at the file's own rate that are held while it is converted: ten minutes at 48 kHz, 110 MiB. A compressed file
    /// of silence would otherwise grow without end.
    static let largestDecoded = 600 * 48_000

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
            let (mono, rate) = try read(bytes, seconds: seconds)
            samples = try Resampler.telephone(mono, rate: rate)
        }
        guard samples.count > 0 else { throw .empty }
        return samples
    }

    /// All channels averaged into one, at the file's own rate.
    private static func read(_ bytes: [UInt8], seconds: Int) throws(SoundError) -> (mono: [Float], rate: Int) {
        do {
            var source = MemorySource(bytes: bytes)
            return try unsafe withUnsafeMutablePointer(to: &source) { source in
                var access = MemorySource.access
                var description = SF_INFO()
                guard let file = unsafe sf_open_virtual(&access, Int32(SFM_READ), &description, source) else {
                    throw SoundError.unrecognised
                }
                defer { _ = unsafe sf_close(file) }
                let mono = try unsafe mixDown(file, description, seconds: seconds)
                return (mono, Int(description.samplerate))
            }
        } catch let error as SoundError {
            throw error
        } catch {
            throw .unrecognised
        }
    }

    private static func mixDown(_ file: OpaquePointer, _ description: SF_INFO, seconds: Int) throws -> [Float] {
        let (channels, rate) = (Int(description.channels), Int(description.samplerate))
        guard (1...8).contains(channels) else { throw SoundError.unsupported("\(channels) channels") }
        guard Resampler.rates.contains(rate) else { throw SoundError.unsupported("a sampling rate of \(rate) Hz") }
        let limit = min(seconds * rate, largestDecoded)
        let chunk = 4096
        var interleaved = [Float](repeating: 0, count: chunk * channels)
        var mono: [Float] = []
        while true {
            let frames = unsafe interleaved.withUnsafeMutableBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe Int(sf_readf_float(file, $0, sf_count_t(chunk))) } ?? 0
            }
            guard frames > 0 else { break }
            guard mono.count + frames <= limit else { throw SoundError.tooLong(limit: limit / rate) }
            for frame in 0..<frames {
                var sum: Float = 0
                for channel in 0..<channels { sum += interleaved[frame * channels + channel] }
                mono.append(sum / Float(channels))
            }
        }
        let failure = unsafe sf_error(file)
        // What was decoded before the damage is still sound; a file that gave nothing is an error.
        guard failure == 0 || !mono.isEmpty else { throw SoundError.damaged("libsndfile error \(failure)") }
        return mono
    }
}

/// A read-only file over bytes in memory, in the form libsndfile calls back; lives only inside one `decode`.
private struct MemorySource {
    let bytes: [UInt8]
    var position = 0

    static var access: SF_VIRTUAL_IO {
        unsafe SF_VIRTUAL_IO(
            get_filelen: { context in unsafe sf_count_t(MemorySource.of(context)?.pointee.bytes.count ?? 0) },
            seek: { offset, whence, context in
                guard let source = unsafe MemorySource.of(context) else { return -1 }
                return unsafe source.pointee.seek(Int(offset), whence)
            },
            read: { destination, count, context in
                guard let destination = unsafe destination, let source = unsafe MemorySource.of(context) else { return 0 }
                return unsafe source.pointee.read(into: destination, count: Int(count))
            },
            write: { _, _, _ in 0 },
            tell: { context in unsafe sf_count_t(MemorySource.of(context)?.pointee.position ?? 0) })
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<MemorySource>? {
        unsafe context?.assumingMemoryBound(to: MemorySource.self)
    }

    /// `whence` as in lseek: 0 from the start, 1 from here, 2 from the end.
    mutating func seek(_ offset: Int, _ whence: Int32) -> sf_count_t {
        let base = whence == 0 ? 0 : whence == 1 ? position : bytes.count
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, (0...bytes.count).contains(target) else { return -1 }
        position = target
        return sf_count_t(target)
    }

    mutating func read(into destination: UnsafeMutableRawPointer, count: Int) -> sf_count_t {
        let available = max(0, min(count, bytes.count - position))
        unsafe bytes.withUnsafeBytes { bytes in
            guard available > 0, let base = bytes.baseAddress else { return }
            unsafe destination.copyMemory(from: base + position, byteCount: available)
        }
        position += available
        return sf_count_t(available)
    }
}
