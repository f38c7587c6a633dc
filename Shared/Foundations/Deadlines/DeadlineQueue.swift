/// Elements ordered by the instant they are due: a binary heap whose entries can be cancelled.
///
/// One owner, one thread. Insert and remove cost O(log n); cancelling marks the entry, which is skipped when it comes up.
/// Inlinable, as every loop has one of its own kind of elements: code for any kind takes several times as long.
public struct DeadlineQueue<Element> {
    /// Names one entry; never used twice in the life of a queue.
    public struct Ticket: Hashable, Sendable {
        @usableFromInline let number: UInt64
        @inlinable init(number: UInt64) { self.number = number }
    }

    @usableFromInline var heap: [DeadlineEntry] = []
    @usableFromInline var elements: [UInt64: Element] = [:]
    @usableFromInline var nextNumber: UInt64 = 0

    @inlinable public init() {}

    @inlinable public var count: Int { elements.count }
    @inlinable public var isEmpty: Bool { elements.isEmpty }

    /// The earliest deadline, or nil when nothing waits.
    @inlinable public mutating func nextDeadline() -> Instant? {
        dropCancelled()
        return heap.first?.deadline
    }

    @discardableResult @inlinable
    public mutating func insert(_ element: Element, at deadline: Instant) -> Ticket {
        let number = nextNumber
        nextNumber &+= 1
        elements[number] = element
        heap.append(DeadlineEntry(deadline: deadline, number: number))
        siftUp(from: heap.count - 1)
        return Ticket(number: number)
    }

    /// Takes the entry out; nil when it already fired or was cancelled.
    @discardableResult @inlinable
    public mutating func cancel(_ ticket: Ticket) -> Element? {
        let element = elements.removeValue(forKey: ticket.number)
        // Cancelled entries stay in the heap until they surface; rebuild when they are the majority.
        if heap.count > 64, heap.count > elements.count * 2 { compact() }
        return element
    }

    /// The next element due at `now` or before, in order of deadline, or nil.
    @inlinable public mutating func popDue(now: Instant) -> Element? {
        dropCancelled()
        guard let first = heap.first, first.deadline <= now else { return nil }
        removeFirst()
        return elements.removeValue(forKey: first.number)
    }

    @inlinable mutating func dropCancelled() {
        while let first = heap.first, elements[first.number] == nil { removeFirst() }
    }

    @inlinable mutating func compact() {
        heap = heap.filter { elements[$0.number] != nil }
        heap.sort { Self.isBefore($0, $1) }
    }

    /// Equal deadlines keep their order of insertion.
    @inlinable static func isBefore(_ left: DeadlineEntry, _ right: DeadlineEntry) -> Bool {
        left.deadline == right.deadline ? left.number < right.number : left.deadline < right.deadline
    }

    @inlinable mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, Self.isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard Self.isBefore(heap[child], heap[parent]) else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }

    @inlinable mutating func siftUp(from index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isBefore(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }
}

/// Outside of the queue, so that its array is one of a known type whatever the elements are: generic access allocates.
@usableFromInline struct DeadlineEntry {
    @usableFromInline let deadline: Instant
    @usableFromInline let number: UInt64
    @inlinable init(deadline: Instant, number: UInt64) { (self.deadline, self.number) = (deadline, number) }
}
