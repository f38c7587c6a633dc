internal import Glibc

/// The power of a stretch of 512 samples at each of its 257 frequencies, through a Hann window: 15.6 Hz apart at 8 kHz.
///
/// All memory is taken when it is made. A real sequence is transformed as a complex one of half its length.
struct Spectrum: Sendable {
    static let length = 512
    private static let half = length / 2

    private(set) var power = [Float](repeating: 0, count: half + 1)
    /// The last 512 samples.
    private(set) var recent = [Float](repeating: 0, count: length)
    private var real = [Float](repeating: 0, count: half)
    private var imaginary = [Float](repeating: 0, count: half)
    private let window: [Float]
    /// cos and sin of -2πk/512.
    private let cosines: [Float]
    private let sines: [Float]
    private let reversed: [Int]

    init() {
        window = (0..<Self.length).map { 0.5 - 0.5 * cosf(2 * .pi * Float($0) / Float(Self.length)) }
        cosines = (0..<Self.half).map { cosf(-2 * .pi * Float($0) / Float(Self.length)) }
        sines = (0..<Self.half).map { sinf(-2 * .pi * Float($0) / Float(Self.length)) }
        reversed = (0..<Self.half).map { index in
            (0..<8).reduce(0) { $0 << 1 | (index >> $1 & 1) }
        }
    }

    /// Takes samples; their mean power.
    mutating func take(_ frame: Span<Int16>) -> Float {
        let kept = recent.count - frame.count
        for index in 0..<kept { recent[index] = recent[index + frame.count] }
        var (sum, squares): (Float, Float) = (0, 0)
        for index in 0..<frame.count {
            let sample = Float(frame[index])
            recent[kept + index] = sample
            sum += sample
            squares += sample * sample
        }
        let mean = sum / Float(frame.count)
        return max(0, squares / Float(frame.count) - mean * mean)
    }

    mutating func forget() {
        for index in recent.indices { recent[index] = 0 }
    }

    /// Looks at the last 512 samples; what is found stands in `power`.
    mutating func transform() {
        for index in 0..<Self.half {
            let place = reversed[index]
            real[place] = recent[2 * index] * window[2 * index]
            imaginary[place] = recent[2 * index + 1] * window[2 * index + 1]
        }
        var size = 2
        while size <= Self.half {
            let (step, middle) = (Self.length / size, size / 2)
            for start in stride(from: 0, to: Self.half, by: size) {
                for offset in 0..<middle {
                    let (low, high) = (start + offset, start + offset + middle)
                    let (c, s) = (cosines[offset * step], sines[offset * step])
                    let re = real[high] * c - imaginary[high] * s
                    let im = real[high] * s + imaginary[high] * c
                    (real[high], imaginary[high]) = (real[low] - re, imaginary[low] - im)
                    (real[low], imaginary[low]) = (real[low] + re, imaginary[low] + im)
                }
            }
            size *= 2
        }
        separate()
    }

    /// The spectra of the even and the odd samples, which were transformed as one, become that of all.
    private mutating func separate() {
        let half = Self.half
        for k in 0...half {
            let (a, b) = (k & (half - 1), (half - k) & (half - 1))
            let evenRe = (real[a] + real[b]) / 2
            let evenIm = (imaginary[a] - imaginary[b]) / 2
            let oddRe = (imaginary[a] + imaginary[b]) / 2
            let oddIm = (real[b] - real[a]) / 2
            let (c, s): (Float, Float) = k == half ? (-1, 0) : (cosines[k], sines[k])
            let re = evenRe + oddRe * c - oddIm * s
            let im = evenIm + oddRe * s + oddIm * c
            power[k] = re * re + im * im
        }
    }
}
