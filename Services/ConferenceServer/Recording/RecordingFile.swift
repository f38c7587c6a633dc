import Audio
import Codecs
import Contracts
import Cryptography
import ServiceKit

/// One file of a recording while it grows, on the writing thread. Whenever it is cut, it can be played to there: the header of a WAV
/// follows its sound, pages of Ogg stand by themselves, and so do the pieces of a sealed file.
final class RecordingFile {
    struct Kind: Sendable, Equatable {
        var format: RecordingTerms.Format
        var channels: Int
        var bitrate: Int

        /// What a sealed file says of itself; the header of a WAV is made of it when it is read.
        var note: [UInt8] { [format == .wav ? 1 : 2, UInt8(clamping: channels), 0, 0, 0, 0, 0, 0] }
    }

    static let headerLength = 44

    private var file: OutputFile
    private let kind: Kind
    private let stream: OggOpusStream?
    private var sealer: SealedStreamWriter?
    private var pending: [UInt8] = []
    /// Of sound, in a WAV.
    private var dataBytes = 0
    private(set) var failure: OutputFile.Failure?

    /// `key`: what it is sealed with. `encodes`: sound comes; else pages that are made already, which is for Ogg alone.
    init(creating path: String, _ kind: Kind, key: [UInt8]?, encodes: Bool = true) throws(OutputFile.Failure) {
        file = try OutputFile(creating: path)
        self.kind = kind
        do {
            stream = kind.format == .ogg && encodes
                ? try OggOpusStream(channels: kind.channels, bitrate: kind.bitrate, serial: .random(in: 0 ... .max)) : nil
            if let key {
                let salt = (0..<16).map { _ in UInt8.random(in: 0 ... .max) }
                let sealed = try SealedStream(key: key, salt: salt, note: kind.note)
                try file.append(sealed.head)
                sealer = SealedStreamWriter(sealed)
            }
        } catch {
            throw (error as? OutputFile.Failure) ?? OutputFile.Failure("\(path): \(error)")
        }
        if let stream {
            stream.begin(into: &pending)
        } else if sealer == nil, kind.format == .wav {
            pending = Self.header(0, kind)
        }
        flush()
    }

    static func header(_ dataBytes: Int, _ kind: Kind) -> [UInt8] {
        WAVWriter.header(dataBytes: UInt32(clamping: dataBytes), channels: UInt16(clamping: kind.channels))
    }

    /// Its channels sample by sample.
    func append(_ sound: [Int16]) {
        guard let stream else {
            dataBytes += 2 * sound.count
            pending.reserveCapacity(pending.count + 2 * sound.count)
            for sample in sound {
                pending.append(UInt8(truncatingIfNeeded: sample))
                pending.append(UInt8(truncatingIfNeeded: sample >> 8))
            }
            return
        }
        stream.append(sound, into: &pending)
    }

    func append(pages: [UInt8]) {
        pending += pages
        write()
    }

    /// So many frames of silence, however many they are.
    func appendSilence(frames: Int) {
        let samples = frames * Samples.frame * kind.channels
        guard stream == nil, sealer == nil else {
            let second = Samples.rate * kind.channels
            var left = samples
            while left > 0, failure == nil {
                append([Int16](repeating: 0, count: min(second, left)))
                left -= min(second, left)
                write()
            }
            return
        }
        flush()
        do throws(OutputFile.Failure) {
            try file.skip(2 * samples)
            dataBytes += 2 * samples
        } catch {
            failure = error
        }
    }

    /// Sound first, then the header that counts it: a process that is killed in between leaves a file that is right.
    func flush() {
        write()
        guard failure == nil, kind.format == .wav, sealer == nil else { return }
        do throws(OutputFile.Failure) { try file.rewrite(Self.header(dataBytes, kind)) } catch { failure = error }
    }

    /// Nothing follows.
    func finish() {
        stream?.finish(into: &pending)
        flush()
        guard failure == nil, sealer != nil else { return }
        do {
            if let last = try sealer?.finish(nonce: Self.nonce) { try file.append(last) }
        } catch {
            failure = (error as? OutputFile.Failure) ?? OutputFile.Failure("\(file.path): \(error)")
        }
    }

    private func write() {
        defer { pending.removeAll(keepingCapacity: true) }
        guard failure == nil, !pending.isEmpty else { return }
        do {
            if let sealed = try sealer?.append(pending, nonce: Self.nonce) {
                if !sealed.isEmpty { try file.append(sealed) }
            } else {
                try file.append(pending)
            }
        } catch {
            failure = (error as? OutputFile.Failure) ?? OutputFile.Failure("\(file.path): \(error)")
        }
    }

    static func nonce() -> [UInt8] { (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) } }
}
