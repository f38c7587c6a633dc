import Audio
import Codecs

/// One channel of a recording: frames of 20 ms at their places, silence between them, and silence in place of keys when they are not
/// to be heard: never, or as long as they are a secret.
///
/// With keys taken out, sound is held back for a moment: a phone sends the tone of a key as sound until it is sure.
struct SoundLine {
    /// What a frame says of keys.
    struct Keys {
        var isDown = false
        /// Of this frame they are not to be heard, whatever the recording is to have.
        var areHidden = false
    }

    /// Silenced before and after a key: 100 ms.
    private static let margin = 5

    /// Ready for the file.
    private(set) var ready: [Int16] = []
    /// Frames that have been placed.
    private(set) var length: Int
    private var held: [Int16] = []
    private let keepsKeys: Bool
    /// There while keys are taken out.
    private var silencer: KeySilencer?
    private var silentUntil = -1

    /// `start`: the frame it begins with; those before it are somebody else's business.
    init(start: Int = 0, keepsKeys: Bool) throws(CodecError) {
        length = start
        self.keepsKeys = keepsKeys
        silencer = keepsKeys ? nil : try KeySilencer()
    }

    /// A frame at its place; one whose place has passed is late. Nil is silence.
    mutating func put(_ sound: [Int16]?, at position: Int, _ keys: Keys = Keys()) {
        guard position >= length else { return }
        advance(to: position)
        length = position + 1
        var sound = sound
        if keepsKeys {
            if !keys.areHidden { showKeys() } else if silencer == nil {
                // Without memory for the one that listens for keys nothing of it is kept.
                do { silencer = try KeySilencer() } catch { sound = nil }
            }
        }
        guard silencer != nil else {
            Self.append(sound, to: &ready)
            return
        }
        Self.append(sound, to: &held)
        if keys.isDown { silentUntil = position + Self.margin }
        if position <= silentUntil { silence(all: keys.isDown) }
        release(keeping: Self.margin * Samples.frame)
    }

    /// Nothing came before this place.
    mutating func advance(to position: Int) {
        while length < position {
            length += 1
            guard silencer != nil else {
                Self.append(nil, to: &ready)
                continue
            }
            Self.append(nil, to: &held)
            release(keeping: Self.margin * Samples.frame)
        }
    }

    /// It ends at this place.
    mutating func finish(at position: Int) {
        advance(to: position)
        showKeys()
    }

    /// All that was held back is sound now.
    private mutating func showKeys() {
        guard let silencer else { return }
        release(keeping: 0)
        silencer.finish(into: &ready)
        self.silencer = nil
    }

    /// At most so many samples of what is ready.
    mutating func take(_ count: Int) -> ArraySlice<Int16> {
        let taken = ready.prefix(count)
        ready.removeFirst(taken.count)
        return taken
    }

    private mutating func silence(all: Bool) {
        let first = all ? 0 : max(0, held.count - Samples.frame)
        for index in first..<held.count { held[index] = 0 }
    }

    private mutating func release(keeping count: Int) {
        guard held.count > count, let silencer else { return }
        var sound = Array(held.prefix(held.count - count))
        held.removeFirst(sound.count)
        silencer.pass(&sound)
        ready += sound
    }

    private static func append(_ sound: [Int16]?, to samples: inout [Int16]) {
        for index in 0..<Samples.frame {
            samples.append(sound.map { index < $0.count ? $0[index] : 0 } ?? 0)
        }
    }
}
