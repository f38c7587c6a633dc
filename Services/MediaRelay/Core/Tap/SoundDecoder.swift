import Audio
import Codecs

/// Makes telephone sound of what one phone says, in whatever codings it says it one after the other.
final class SoundDecoder {
    private var coding: Coding?
    /// Nil also when there is no decoder to be had: then it is silent.
    private var decoder: Decoder?
    private var sound: [Int16] = []

    /// At `Samples.rate`; empty for what is damaged.
    func decode(_ payload: Span<UInt8>, _ coding: Coding) -> ArraySlice<Int16> {
        if coding != self.coding { change(to: coding) }
        guard decoder != nil, !sound.isEmpty else { return [] }
        let count = Self.decode(payload, &decoder, into: &sound)
        guard case .linear(let rate) = coding, rate > Samples.rate else { return sound.prefix(max(0, count)) }
        return narrowed(count, by: rate / Samples.rate)
    }

    private static func decode(_ payload: Span<UInt8>, _ decoder: inout Decoder?, into sound: inout [Int16]) -> Int {
        var room = sound.mutableSpan
        return decoder?.decode(payload, into: &room) ?? 0
    }

    private func change(to coding: Coding) {
        self.coding = coding
        let rate = coding.rates.contains(Samples.rate) ? Samples.rate : nil
        do throws(CodecError) {
            let made = try Decoder(coding, rate: rate)
            sound = Array(repeating: 0, count: made.maximumSamples)
            decoder = consume made
        } catch {
            decoder = nil
            sound = []
        }
    }

    /// The mean of each so many samples.
    private func narrowed(_ count: Int, by factor: Int) -> ArraySlice<Int16> {
        let made = count / factor
        for index in 0..<made {
            let sum = (0..<factor).reduce(0) { $0 + Int(sound[index * factor + $1]) }
            sound[index] = Int16(clamping: sum / factor)
        }
        return sound.prefix(made)
    }
}
