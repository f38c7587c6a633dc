internal import CSndfile

extension SoundFile {
    /// The kinds of file that are read, told by their first bytes. libsndfile knows two dozen more, old and rarely tested.
    enum Container: Equatable {
        case wave, aiff, au, flac, ogg, mpeg

        init?(of bytes: [UInt8]) {
            switch Array(bytes.prefix(4)) {
            case Array("RIFF".utf8), Array("RIFX".utf8), Array("RF64".utf8): self = .wave
            case Array("FORM".utf8): self = .aiff
            case Array(".snd".utf8): self = .au
            case Array("fLaC".utf8): self = .flac
            case Array("OggS".utf8): self = .ogg
            case let start where start.starts(with: Array("ID3".utf8)): self = .mpeg
            // The sync word of a frame, with a version and a layer that exist (ISO 11172-3 §2.4.2.3).
            case let start where start.count == 4 && start[0] == 0xff && start[1] & 0xe0 == 0xe0 && start[1] & 0x06 != 0:
                self = .mpeg
            default: return nil
            }
        }

        /// Whether what the library has found in it is one of these: `FORM`, for one, begins others as well.
        static func isRead(_ format: Int32) -> Bool {
            let kinds = [
                SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_AIFF, SF_FORMAT_AU, SF_FORMAT_FLAC, SF_FORMAT_OGG,
                SF_FORMAT_MPEG,
            ]
            return kinds.contains { Int64($0) == Int64(format) & Int64(SF_FORMAT_TYPEMASK) }
        }
    }
}
