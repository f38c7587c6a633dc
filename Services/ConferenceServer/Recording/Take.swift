import Audio
import Codecs
import Contracts

/// Makes the sound of a recording from what its tap copies: a pure value, whose sound whoever has it writes to files.
struct Take {
    /// What of the recording one file holds.
    struct Part {
        /// Whose voice it is; nil for the only file.
        let name: Name?
        let channels: Int
        /// The frame at which it begins to differ from silence.
        let start: Int
        fileprivate var lines: [SoundLine]
    }

    /// A voice of a recording of tracks.
    struct Name: Equatable {
        var participantID: String
        var callID: String
    }

    /// Louder than this somebody speaks: a sine of -42 dBFS.
    private static let softest: Int64 = 34_000

    let terms: RecordingTerms
    /// In frames; what comes later is not in it.
    let limit: Int
    /// Of a participant: the sum of what it says and hears, unless they lie side by side.
    private(set) var parts: [Part] = []
    private(set) var names: [UInt32: Name] = [:]
    /// Voices that found no file: there are as many as there may be.
    private(set) var left: Set<UInt32> = []
    /// Set when it is over by itself.
    private(set) var end: Recording.End?
    /// The frame after the last that came.
    private(set) var length: Int
    private let begin: Int
    private var loudAt: Int
    private let mostTracks: Int
    private var samples = [Int16](repeating: 0, count: Samples.frame)
    private var other = [Int16](repeating: 0, count: Samples.frame)

    /// `position`: frames that are recorded already, elsewhere.
    init(_ terms: RecordingTerms, longest seconds: Int, mostTracks: Int, position: Int = 0) throws(CodecError) {
        (self.terms, self.mostTracks) = (terms, mostTracks)
        limit = min(terms.seconds ?? seconds, seconds) * 50
        (length, begin, loudAt) = (position, position, position)
        if terms.layout != .tracks { try open(nil, at: position, channels: terms.layout == .stereo ? 2 : 1) }
    }

    private var keepsKeys: Bool { terms.digits != false }

    private mutating func open(_ name: Name?, at position: Int, channels: Int) throws(CodecError) {
        var lines: [SoundLine] = []
        for _ in 0..<channels { lines.append(try SoundLine(start: position, keepsKeys: keepsKeys)) }
        parts.append(Part(name: name, channels: channels, start: position, lines: lines))
    }

    // MARK: What comes

    mutating func name(_ track: UInt32, _ text: Span<UInt8>) {
        var bytes: [UInt8] = []
        for index in text.indices { bytes.append(text[index]) }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        names[track] = Name(participantID: String(words.first ?? ""), callID: String(words.last ?? ""))
    }

    /// A record of the ring.
    mutating func receive(_ kind: RoomTap.Kind, _ bytes: Span<UInt8>, at position: Int, flags: UInt64, track: UInt32) throws(CodecError) {
        guard end == nil, position >= begin else { return }
        guard position < limit else {
            (end, length) = (.duration, limit)
            return
        }
        let keys = SoundLine.Keys(isDown: flags & RoomTap.Flag.key != 0, areHidden: flags & RoomTap.Flag.hidden != 0)
        switch kind {
        case .name: return
        case .clock: break
        case .mix:
            let hasSound = bytes.count >= 2 * Samples.frame
            if hasSound { readLinear(bytes) }
            hear(hasSound, at: position)
            parts[0].lines[0].put(hasSound ? samples : nil, at: position, keys)
        case .sides: receiveSides(bytes, at: position, flags, keys)
        case .track:
            guard let part = try part(of: track, at: position) else { break }
            let hasSound = bytes.count >= Samples.frame
            if hasSound { Self.readCodes(bytes, from: 0, into: &samples) }
            if hasSound { hear(true, at: position) }
            parts[part].lines[0].put(hasSound ? samples : nil, at: position, keys)
        }
        length = max(length, position + 1)
        if let seconds = terms.endOfSilence, seconds > 0, length - loudAt >= seconds * 50 { end = .silence }
    }

    private mutating func receiveSides(_ bytes: Span<UInt8>, at position: Int, _ flags: UInt64, _ keys: SoundLine.Keys) {
        let hasVoice = flags & RoomTap.Flag.voice != 0 && bytes.count >= Samples.frame
        let offset = hasVoice ? Samples.frame : 0
        let hasEar = flags & RoomTap.Flag.heard != 0 && bytes.count >= offset + Samples.frame
        if hasVoice { Self.readCodes(bytes, from: 0, into: &samples) }
        if hasEar { Self.readCodes(bytes, from: offset, into: &other) }
        hear(hasVoice, at: position)
        guard parts[0].channels == 1 else {
            parts[0].lines[0].put(hasVoice ? samples : nil, at: position, keys)
            parts[0].lines[1].put(hasEar ? other : nil, at: position, keys)
            return
        }
        if hasVoice, hasEar {
            for index in samples.indices { samples[index] = Int16(clamping: Int(samples[index]) + Int(other[index])) }
        }
        parts[0].lines[0].put(hasVoice ? samples : hasEar ? other : nil, at: position, keys)
    }

    /// The place of a voice among the parts; nil when there are as many as there may be. Who comes back goes on where it was.
    private mutating func part(of track: UInt32, at position: Int) throws(CodecError) -> Int? {
        guard let name = names[track] else { return nil }
        if let index = parts.firstIndex(where: { $0.name?.participantID == name.participantID }) { return index }
        guard parts.count < mostTracks else {
            left.insert(track)
            return nil
        }
        try open(name, at: position, channels: 1)
        return parts.count - 1
    }

    private mutating func hear(_ hasSound: Bool, at position: Int) {
        guard terms.endOfSilence != nil, hasSound, VoiceOnset.power(of: samples.span) > Self.softest else { return }
        loudAt = max(loudAt, position + 1)
    }

    private mutating func readLinear(_ bytes: Span<UInt8>) {
        for index in samples.indices {
            samples[index] = Int16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
        }
    }

    private static func readCodes(_ bytes: Span<UInt8>, from offset: Int, into samples: inout [Int16]) {
        let table = G711.linearFromUlaw
        for index in samples.indices { samples[index] = table[Int(bytes[offset + index])] }
    }

    // MARK: What goes

    /// Nothing comes any more; it ends at this frame.
    mutating func finish(at position: Int) {
        length = end == .duration ? limit : min(max(length, position), limit)
        for part in parts.indices {
            for line in parts[part].lines.indices { parts[part].lines[line].finish(at: length) }
        }
    }

    /// All tracks reach the same place, whoever spoke last.
    mutating func align() {
        guard terms.layout == .tracks else { return }
        for part in parts.indices { parts[part].lines[0].advance(to: length) }
    }

    /// The sound of a part that is ready, its channels sample by sample.
    mutating func sound(of part: Int) -> [Int16] {
        let count = parts[part].lines.map(\.ready.count).min() ?? 0
        guard parts[part].channels == 2 else { return Array(parts[part].lines[0].take(count)) }
        let (left, right) = (Array(parts[part].lines[0].take(count)), Array(parts[part].lines[1].take(count)))
        var sound: [Int16] = []
        sound.reserveCapacity(2 * count)
        for index in 0..<count {
            sound.append(left[index])
            sound.append(right[index])
        }
        return sound
    }
}
