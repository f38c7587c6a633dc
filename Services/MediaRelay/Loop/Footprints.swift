import MediaSession
import Threads

/// What memory the next packet of each leg will touch: the leg and its peer, their sockets and their plans.
///
/// Between two packets of a leg, a relay of thousands handles those of all others, and nothing of it is in the cache any more.
struct Footprints {
    /// As many bytes as a cache line. Nothing here is dereferenced: what has gone is asked for in vain.
    private struct Print {
        var leg: UInt = 0
        var socket: UInt = 0
        var plan: UInt = 0
        var peer: UInt = 0
        var peerSocket: UInt = 0
        var peerPlan: UInt = 0
        var reserved: (UInt, UInt) = (0, 0)
    }

    private static let head: [UInt16] = [0]
    /// Of a plan: its rules, and the meanings of payload types.
    private static let rules: [UInt16] = [0, 64, 128]

    /// By the place in the slot table.
    private var prints: [Print] = []
    private var reading: [UInt16] = []
    private var writing: [UInt16] = []

    func fetch(_ name: UInt32) {
        let place = Int(name & 0xffff)
        guard place < prints.count else { return }
        let print = prints[place]
        Prefetch.lines(reading, of: print.leg)
        Prefetch.lines(Self.head, of: print.socket)
        if print.plan != 0 { Prefetch.lines(Self.rules, of: print.plan) }
        guard print.peer != 0 else { return }
        Prefetch.lines(writing, of: print.peer)
        Prefetch.lines(Self.head, of: print.peerSocket)
        if print.peerPlan != 0 { Prefetch.lines(Self.head, of: print.peerPlan) }
    }

    mutating func note(_ leg: Leg) {
        if reading.isEmpty { (reading, writing) = leg.hotLines }
        let place = Int(leg.insideSSRC & 0xffff)
        while prints.count <= place { prints.append(Print()) }
        var print = Print()
        (print.leg, print.socket, print.plan) = Self.addresses(of: leg)
        if let peer = leg.peer { (print.peer, print.peerSocket, print.peerPlan) = Self.addresses(of: peer) }
        prints[place] = print
    }

    private static func addresses(of leg: Leg) -> (UInt, UInt, UInt) {
        // What passes straight through does not ask the plan.
        let plan = leg.session.isTransparent ? nil : leg.session.plan
        return (Prefetch.address(of: leg), leg.rtp.map { Prefetch.address(of: $0) } ?? 0, plan.map { Prefetch.address(of: $0) } ?? 0)
    }
}

extension Leg {
    /// At which distances from its beginning, in cache lines, that lies which a packet touches: its head, and that of its session.
    fileprivate var hotLines: (reading: [UInt16], writing: [UInt16]) {
        let (start, hot) = (Prefetch.address(of: self), session.hotMemory())
        func lines(_ memory: Range<UInt>) -> [UInt16] {
            guard memory.lowerBound >= start, hot.transport >= start else { return [0] }
            let places = Set(stride(from: start, to: memory.upperBound, by: 64).map { ($0 - start) / 64 } + [(hot.transport - start) / 64])
            return places.sorted().compactMap { UInt16(exactly: $0 * 64) }
        }
        return (lines(hot.reading), lines(hot.writing))
    }
}
