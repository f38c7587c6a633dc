import Deadlines
import Testing

@Suite("Deadlines")
struct DeadlinesTests {
    private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

    @Test("Arithmetic saturates instead of trapping")
    func saturation() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(at(1) + .seconds(-1) == at(0))
        #expect(Instant.distantFuture - at(0) == Interval(nanoseconds: .max))
        #expect(at(0) - .distantFuture == Interval(nanoseconds: -.max))
        #expect(Interval.seconds(.max) == Interval(nanoseconds: .max))
        #expect(Interval.seconds(.min) == Interval(nanoseconds: .min))
        #expect(Interval.seconds(9_000_000_000) * 10 == Interval(nanoseconds: .max))
    }

    @Test("A difference has a sign, and units agree")
    func differences() {
        #expect(at(5) - at(3) == .milliseconds(2))
        #expect(at(3) - at(5) == .milliseconds(-2))
        #expect(Interval.seconds(2) == .milliseconds(2000))
        #expect(Interval.milliseconds(1500).seconds == 1.5)
        #expect(Interval.microseconds(20).milliseconds == 0.02)
    }

    @Test("Elements come in the order of their deadlines; equal ones in the order of insertion")
    func order() {
        var queue = DeadlineQueue<String>()
        queue.insert("c", at: at(30))
        queue.insert("a1", at: at(10))
        queue.insert("b", at: at(20))
        queue.insert("a2", at: at(10))
        #expect(queue.nextDeadline() == at(10))
        #expect(queue.popDue(now: at(9)) == nil)
        var popped: [String] = []
        while let element = queue.popDue(now: at(25)) { popped.append(element) }
        #expect(popped == ["a1", "a2", "b"])
        #expect(queue.count == 1)
        #expect(queue.popDue(now: at(30)) == "c")
        #expect(queue.isEmpty)
        #expect(queue.nextDeadline() == nil)
    }

    @Test("A cancelled element never comes, and does not hold the next deadline")
    func cancellation() {
        var queue = DeadlineQueue<Int>()
        let first = queue.insert(1, at: at(1))
        let second = queue.insert(2, at: at(2))
        #expect(queue.cancel(first) == 1)
        #expect(queue.cancel(first) == nil)
        #expect(queue.nextDeadline() == at(2))
        #expect(queue.popDue(now: at(5)) == 2)
        #expect(queue.cancel(second) == nil)
    }

    @Test("Against a plain list: ten thousand insertions, cancellations and pops")
    func againstModel() {
        var queue = DeadlineQueue<Int>()
        var model: [(deadline: Int, number: Int, ticket: DeadlineQueue<Int>.Ticket)] = []
        var random: UInt64 = 42
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        for number in 0..<10_000 {
            switch next(4) {
            case 0, 1:
                let deadline = next(1000)
                model.append((deadline, number, queue.insert(number, at: at(deadline))))
            case 2 where !model.isEmpty:
                let victim = model.remove(at: next(model.count))
                #expect(queue.cancel(victim.ticket) == victim.number)
            default:
                let now = next(300)
                let due = model.indices.filter { model[$0].deadline <= now }
                    .min { (model[$0].deadline, model[$0].number) < (model[$1].deadline, model[$1].number) }
                #expect(queue.popDue(now: at(now)) == due.map { model[$0].number })
                if let due { model.remove(at: due) }
            }
        }
        #expect(queue.count == model.count)
        #expect(queue.nextDeadline() == model.map(\.deadline).min().map(at))
    }
}
