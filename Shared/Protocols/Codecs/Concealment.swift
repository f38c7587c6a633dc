/// Hides a loss for codecs that cannot do so themselves: the last pitch period is repeated, ever more quietly, and glides into
/// what comes next (after G.711 appendix I, but without its delay: the first samples lean on the last ones heard instead).
struct Concealment: ~Copyable {
    private let rate: Int
    /// The last 40 ms played: twice the longest pitch period and what it is searched with fit in.
    private var history: [Int16]
    /// The period that is repeated, and how much of the array it takes.
    private var period: [Int16]
    private var periodLength = 1
    private var position = 0
    /// Samples made since the loss began; zero while nothing is lost.
    private var made = 0
    /// What separates the last sample heard from the one the repetition would have had there.
    private var step = 0

    init(rate: Int) {
        self.rate = rate
        history = Array(repeating: 0, count: rate / 25)
        period = Array(repeating: 0, count: Self.longestPeriod(rate))
    }

    // Voices lie between 66 and 400 Hz.
    private static func longestPeriod(_ rate: Int) -> Int { rate * 15 / 1000 }
    private static func shortestPeriod(_ rate: Int) -> Int { rate / 400 }

    /// Sound was decoded: after a loss its beginning is blended with the repetition.
    mutating func heard(_ sound: inout MutableSpan<Int16>, _ count: Int) {
        if made > 0 {
            let overlap = min(count, rate / 200)
            for index in 0..<overlap {
                let synthetic = next()
                let weight = (index + 1) * 256 / (overlap + 1)
                sound[index] = Int16(clamping: (synthetic * (256 - weight) + Int(sound[index]) * weight) >> 8)
            }
            made = 0
        }
        remember(sound.span, count)
    }

    /// Writes `count` samples in place of lost ones.
    mutating func conceal(_ count: Int, into sound: inout MutableSpan<Int16>) {
        if made == 0 { begin() }
        for index in 0..<count { sound[index] = Int16(clamping: next()) }
        remember(sound.span, count)
    }

    private mutating func remember(_ sound: Span<Int16>, _ count: Int) {
        let size = history.count
        let taken = min(count, size)
        let kept = size - taken
        var span = history.mutableSpan
        for index in 0..<kept { span[index] = span[index + taken] }
        for index in 0..<taken { span[kept + index] = sound[count - taken + index] }
    }

    private mutating func begin() {
        let end = history.count
        let length = pitch()
        let quarter = max(1, length / 4)
        for index in 0..<length { period[index] = history[end - length + index] }
        // The end of the period glides into what stood before its beginning, so that it can be repeated without a seam.
        for index in 0..<quarter {
            let weight = (index + 1) * 256 / quarter
            let own = Int(history[end - quarter + index]), before = Int(history[end - length - quarter + index])
            period[length - quarter + index] = Int16(clamping: (own * (256 - weight) + before * weight) >> 8)
        }
        step = Int(history[end - 1]) - Int(history[end - length - 1])
        (periodLength, position) = (length, 0)
    }

    private mutating func next() -> Int {
        var value = Int(period[position])
        let quarter = max(1, periodLength / 4)
        if made < quarter { value += step * (quarter - made) / quarter }
        position = position + 1 == periodLength ? 0 : position + 1
        // As it is for 10 ms, silent after 60 (G.711 appendix I §2.6: by a fifth each 10 ms).
        let (loud, silent) = (rate / 100, rate * 60 / 1000)
        let level = made <= loud ? 256 : max(0, silent - made) * 256 / (silent - loud)
        made = min(made + 1, silent + 1)
        return (value * level) >> 8
    }

    /// The distance at which the last 20 ms resemble what stood before them most, coarsely and then exactly.
    private func pitch() -> Int {
        let (shortest, longest) = (Self.shortestPeriod(rate), Self.longestPeriod(rate))
        let stride = max(1, rate / 4000)
        var best = longest
        var mark: Float = 0
        search(from: shortest, through: longest, step: stride, &best, &mark)
        let centre = best
        search(from: max(shortest, centre - stride), through: min(longest, centre + stride), step: 1, &best, &mark)
        return best
    }

    private func search(from first: Int, through last: Int, step: Int, _ best: inout Int, _ mark: inout Float) {
        let past = history.span
        let end = past.count
        let window = rate / 50
        var lag = first
        while lag <= last {
            var (correlation, energy): (Float, Float) = (0, 1)
            var index = end - window
            while index < end {
                let (now, then) = (Float(past[index]), Float(past[index - lag]))
                correlation += now * then
                energy += then * then
                index += max(1, rate / 8000)
            }
            let score = correlation <= 0 ? 0 : correlation * correlation / energy
            if score > mark { (mark, best) = (score, lag) }
            lag += step
        }
    }
}
