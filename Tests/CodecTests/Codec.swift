import Codecs
import RTP

extension Encoder {
    /// The payloads of packets of `milliseconds`, whole packets only.
    mutating func payloads(_ sound: [Int16], milliseconds: Int = 20) -> [[UInt8]] {
        let frame = rate * milliseconds / 1000
        var memory = [UInt8](repeating: 0, count: 8192)
        return stride(from: 0, to: sound.count / frame * frame, by: frame).map { start in
            var span = memory.mutableSpan
            let length = encode(sound.span.extracting(start..<(start + frame)), into: &span)
            return Array(memory[..<length])
        }
    }
}

extension Decoder {
    mutating func sound(_ payload: [UInt8]) -> [Int16] {
        var memory = [Int16](repeating: 0, count: maximumSamples)
        var span = memory.mutableSpan
        let count = decode(payload.span, into: &span)
        return Array(memory[..<count])
    }

    mutating func sound(_ payloads: [[UInt8]]) -> [Int16] {
        var all: [Int16] = []
        for payload in payloads { all += sound(payload) }
        return all
    }

    mutating func concealed(_ samples: Int) -> [Int16] {
        var memory = [Int16](repeating: 1, count: samples)
        var span = memory.mutableSpan
        conceal(samples: samples, into: &span)
        return memory
    }

    mutating func recovered(_ samples: Int, from payload: [UInt8]) -> [Int16] {
        var memory = [Int16](repeating: 1, count: samples)
        var span = memory.mutableSpan
        recover(samples: samples, from: payload.span, into: &span)
        return memory
    }
}

/// A transcoded packet, kept.
struct Sent: Equatable {
    var timestamp: UInt32
    var marker: Bool
    var payload: [UInt8]
}

extension TranscodedPackets {
    borrowing func sent() -> [Sent] {
        (0..<count).map { index in
            let payload = payload(index)
            return Sent(
                timestamp: self[index].timestamp.value, marker: self[index].marker, payload: payload.indices.map { payload[$0] })
        }
    }

    borrowing func tones() -> [ToneDetector.Event] { (0..<toneCount).map { tone($0) } }
}

extension Coding {
    /// Everything that is transcoded, with each sampling rate it is transcoded at.
    static let all: [(coding: Coding, rate: Int)] = everything.flatMap { coding in coding.rates.map { (coding, $0) } }
    private static let everything: [Coding] =
        [.pcmu, .pcma, .g722, .opus, .g729, .gsm] + linearRates.map { Coding.linear(rate: $0) }
    static let kinds: [Coding] = [
        .pcmu, .pcma, .g722, .opus, .g729, .gsm, .linear(rate: 8000), .linear(rate: 16000), .linear(rate: 44100),
    ]
}
