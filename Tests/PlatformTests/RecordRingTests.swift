import Synchronization
import Testing
import Threads

@Suite("Records from thread to thread")
struct RecordRingTests {
    private func append(_ ring: RecordRing, _ number: UInt64, _ bytes: [UInt8]) -> Bool { ring.append(head(number), bytes.span) }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        var copy: [UInt8] = []
        for index in bytes.indices { copy.append(bytes[index]) }
        return copy
    }

    private func head(_ value: UInt64) -> RecordRing.Head { [value, 1, 2, 3, 4, ~value] }

    @Test("What is appended is drained in order with its head, whatever its length, round and round the memory")
    func order() {
        let ring = RecordRing(capacity: 4096)
        var next: UInt64 = 0
        var seen: UInt64 = 0
        for round in 0..<500 {
            for length in [0, 1, 7, 8, 172, 300 + round % 61] {
                let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ Int(next)) }
                #expect(append(ring, next, bytes))
                next += 1
            }
            ring.drain { head, bytes in
                #expect(head[0] == seen && head[5] == ~seen)
                #expect(Self.copy(bytes).enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0 &+ Int(seen)) })
                seen += 1
            }
            #expect(seen == next)
        }
    }

    @Test("A full ring refuses, keeps what it has, and takes again after it was drained; what can never fit is refused")
    func full() {
        let ring = RecordRing(capacity: 4096)
        let packet = [UInt8](repeating: 7, count: 200)
        var taken = 0
        while append(ring, UInt64(taken), packet) { taken += 1 }
        #expect(taken == 4096 / 256)
        var drained = 0
        ring.drain { head, bytes in
            #expect(head[0] == UInt64(drained) && Self.copy(bytes) == packet)
            drained += 1
        }
        #expect(drained == taken)
        #expect(append(ring, 0, packet))
        #expect(!append(ring, 0, [UInt8](repeating: 0, count: 4096)))
    }

    @Test("Of two threads each sees whole records only, and none twice")
    func twoThreads() async {
        let ring = RecordRing(capacity: 1 << 14)
        let count = 100_000
        async let refused = Task.detached {
            var refused = 0
            for number in 0..<count {
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 180)
                while !ring.append([UInt64(number), 0, 0, 0, 0, 0], bytes.span) { refused += 1 }
            }
            return refused
        }.value
        let broken = await Task.detached {
            var (next, broken) = (0, 0)
            while next < count {
                ring.drain { head, bytes in
                    let isWhole =
                        head[0] == UInt64(next) && bytes.count == next % 180
                        && Self.copy(bytes).allSatisfy { $0 == UInt8(truncatingIfNeeded: next) }
                    if !isWhole { broken += 1 }
                    next += 1
                }
            }
            return broken
        }.value
        _ = await refused
        #expect(broken == 0)
    }
}
