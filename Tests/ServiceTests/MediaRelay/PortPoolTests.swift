import Deadlines
import Testing

@testable import MediaRelay

@Suite("MediaRelay: ports")
struct PortPoolTests {
    private let start = Instant(nanoseconds: 0)

    private func takeAll(_ pool: inout PortPool, now: Instant) -> [UInt16] {
        var ports: [UInt16] = []
        while let port = pool.take(now: now) { ports.append(port) }
        return ports
    }

    @Test("RFC 3550 §11: RTP ports are even, and their RTCP port lies in the range as well", arguments: [30000...30009, 30001...30010])
    func pairs(range: ClosedRange<UInt16>) {
        var pool = PortPool(range: range, start: 3)
        let ports = takeAll(&pool, now: start)
        #expect(ports.allSatisfy { $0 % 2 == 0 && range.contains($0) && range.contains($0 + 1) })
        #expect(Set(ports).count == ports.count && ports.count == (range.lowerBound % 2 == 0 ? 5 : 4))
    }

    @Test("The threads of a process share a range without overlap and without remainder")
    func shares() {
        let ports = (0..<3).flatMap { share in
            var pool = PortPool(range: 65520...65535, share: share, of: 3, start: 77)
            return takeAll(&pool, now: start)
        }
        #expect(ports.sorted() == stride(from: 65520, through: 65534, by: 2).map { UInt16($0) })
    }

    @Test("A port rests after use; a foreign port is given back likewise and changes nothing else")
    func rest() {
        var pool = PortPool(range: 30000...30005, share: 1, of: 2, start: 0)
        let port = pool.take(now: start) ?? 0
        pool.giveBack(30000, now: start)
        pool.giveBack(9, now: start)
        pool.giveBack(port, now: start)
        #expect(port == 30002)
        let early = pool.take(now: start + PortPool.rest + .milliseconds(-1))
        let rested = pool.take(now: start + PortPool.rest)
        #expect(early == nil && rested == port)
    }

    @Test("An empty share gives nothing")
    func empty() {
        var pool = PortPool(range: 30000...30001, share: 1, of: 2, start: 5)
        let port = pool.take(now: start)
        #expect(port == nil && pool.count == 0)
    }

    @Test("The range is checked when it is read")
    func parsing() {
        #expect(RelaySettings.ports("30000-39999") == 30000...39999)
        for text in ["", "30000", "30000-", "-1", "39999-30000", "30001-30002", "80-90", "60000-70000", "30000-30001-30002", "a-b"] {
            #expect(RelaySettings.ports(text) == nil)
        }
        #expect(RelaySettings.ports("30001-30003") == 30001...30003)
    }
}
