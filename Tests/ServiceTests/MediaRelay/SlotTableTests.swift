import Contracts
import Deadlines
import Testing

@testable import MediaRelay

@Suite("MediaRelay: slots, tombstones, silence")
struct SlotTableTests {
    @Test("A name finds its element until it is removed, and never the next one in its place")
    func names() {
        var table = SlotTable<String>(seed: 0xffff)
        var names: [UInt32] = []
        for text in ["a", "b", "c"] { _ = table.insert { names.append($0); return text } }
        #expect(names.map { table[$0] } == ["a", "b", "c"] && table.count == 3)
        table.remove(names[1])
        var reused: UInt32 = 0
        _ = table.insert { reused = $0; return "d" }
        #expect(reused & 0xffff == names[1] & 0xffff && reused != names[1])
        #expect(table[names[1]] == nil && table[reused] == "d" && table[place: 1] == "d")
        #expect(table[0xffff_ffff] == nil && table[0] == nil && table[place: 9] == nil)
        #expect(table.remove(names[1]) == nil && table.count == 3)
    }

    @Test("A full table says so")
    func full() {
        var table = SlotTable<Int>(seed: 0)
        for index in 0..<65_536 { _ = table.insert { _ in index } }
        let overflow = table.insert { _ in 1 }
        #expect(overflow == nil && table.count == 65_536)
    }

    @Test("RELIABILITY §4.5: what a session was like is known for two minutes after its end")
    func tombstones() {
        var stones = Tombstones()
        let start = Instant(nanoseconds: 0)
        stones.bury("a", .init(epoch: 3, statistics: MediaStatistics(packetsIn: 7)), now: start)
        stones.bury("b", .init(epoch: 1, statistics: MediaStatistics()), now: start + .seconds(60))
        stones.expire(now: start + .seconds(119))
        #expect(stones["a"]?.statistics.packetsIn == 7 && stones["a"]?.epoch == 3)
        stones.expire(now: start + .seconds(120))
        #expect(stones["a"] == nil && stones["b"] != nil)
        for index in 0..<40_000 { stones.bury("\(index)", .init(epoch: 1, statistics: MediaStatistics()), now: start) }
        #expect(stones.count == 16_384 && stones["39999"] != nil && stones["b"] == nil)
    }

    @Test("The owner is told at the limit and once per limit after it; told in vain three times, the session ends")
    func silence() {
        var watch = SilenceWatch(limit: .seconds(60))
        let actions = [0, 59, 60, 61, 119, 120, 180, 200, 240].map { watch.check(.seconds($0), hasEverHeard: true) }
        #expect(actions == [.none, .none, .tell, .none, .none, .tell, .tell, .none, .end])
    }

    @Test("Neither a hold nor a phone that is being rung is silence; a packet starts the count anew")
    func patience() {
        var watch = SilenceWatch(limit: .seconds(60))
        let ringing = [60, 239, 240].map { watch.check(.seconds($0), hasEverHeard: false) }
        #expect(ringing == [.none, .none, .tell])
        let after = [nil, Interval.seconds(59), .seconds(60)].map { watch.check($0, hasEverHeard: true) }
        #expect(after == [.none, .none, .tell])
        let again = [watch.check(.seconds(1), hasEverHeard: true), watch.check(.seconds(61), hasEverHeard: true)]
        #expect(again == [.none, .tell])
    }

    @Test("RFC 3550 §4: NTP time counts from 1900")
    func ntp() {
        let expected: [UInt64] = [2_208_988_800 << 32, 2_208_988_801 << 32 | 0x8000_0000]
        #expect([NTP.time(milliseconds: 0), NTP.time(milliseconds: 1500)] == expected)
    }

    @Test("The share of places taken is announced, and no place is given twice")
    func occupancy() {
        let occupancy = Occupancy(limit: 2) { _ in }
        #expect([occupancy.add(), occupancy.add(), occupancy.add()] == [true, true, false])
        occupancy.remove()
        #expect(occupancy.count == 1 && occupancy.add())
    }
}
