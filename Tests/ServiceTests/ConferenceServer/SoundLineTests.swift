import Audio
import Testing

@testable import ConferenceServer

@Suite("A line of a recording")
struct SoundLineTests {
    /// Frames of the tone of a key, 100 ms of silence on both sides.
    private func frames(of key: Character) throws -> [[Int16]] {
        let tone = try #require(DTMF.samples(of: key)).values
        let silence = [Int16](repeating: 0, count: 5 * 160)
        let sound = silence + tone + silence
        return stride(from: 0, to: sound.count - 159, by: 160).map { Array(sound[$0..<($0 + 160)]) }
    }

    private func power(_ sound: ArraySlice<Int16>) -> Int64 { sound.reduce(0) { $0 + Int64($1) * Int64($1) } / Int64(max(1, sound.count)) }

    @Test("keys that are a secret for a while are silence of their length; those before and after are as they came, sample by sample")
    func secret() throws {
        let keys: [(Character, Bool)] = [("5", false), ("7", true), ("1", true), ("9", false), ("2", true), ("3", false)]
        var line = try SoundLine(keepsKeys: true)
        var (came, position) = ([Int16](), 0)
        var ranges: [(range: Range<Int>, isHidden: Bool)] = []
        for (key, isHidden) in keys {
            let begin = came.count
            for frame in try frames(of: key) {
                line.put(frame, at: position, .init(areHidden: isHidden))
                came += frame
                position += 1
            }
            ranges.append((begin..<came.count, isHidden))
        }
        line.finish(at: position)
        let kept = Array(line.take(.max))
        #expect(kept.count == came.count)
        for (range, isHidden) in ranges {
            if isHidden {
                #expect(power(kept[range]) * 50 < power(came[range]), "\(range)")
            } else {
                #expect(kept[range] == came[range], "\(range)")
            }
        }
    }

    @Test("who has keys taken out of it has none at any time, as before")
    func withoutKeys() throws {
        var line = try SoundLine(keepsKeys: false)
        var position = 0
        for key in "59" {
            for frame in try frames(of: key) {
                line.put(frame, at: position)
                position += 1
            }
        }
        line.finish(at: position)
        let kept = line.take(.max)
        #expect(kept.count == position * 160 && power(kept) < 20_000)
    }
}
