/// What was spoken lately, bounded by their number and the samples they hold; the one not heard for longest goes first.
struct PromptCache: Sendable {
    private struct Entry: Sendable {
        let samples: [Int16]
        var lastUse: UInt64
    }

    /// A text of nothing but commas has no samples, and still takes its place.
    static let largestCount = 2000

    private let capacity: Int
    private var entries: [Utterance: Entry] = [:]
    private var held = 0
    private var uses: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    mutating func find(_ utterance: Utterance) -> [Int16]? {
        uses += 1
        entries[utterance]?.lastUse = uses
        return entries[utterance]?.samples
    }

    mutating func insert(_ samples: [Int16], for utterance: Utterance) {
        guard samples.count <= capacity / 4, entries[utterance] == nil else { return }
        uses += 1
        entries[utterance] = Entry(samples: samples, lastUse: uses)
        held += samples.count
        // At most a few thousand prompts are there, so looking at all of them now and then is cheaper than keeping a list in order.
        while held > capacity || entries.count > Self.largestCount, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            held -= oldest.value.samples.count
            entries[oldest.key] = nil
        }
    }
}
