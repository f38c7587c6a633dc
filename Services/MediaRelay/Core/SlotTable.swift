/// Elements found by a 32-bit name that is half place, half generation: an array access instead of a dictionary, and the
/// name of an element that has gone finds nothing, even when its place is used again.
struct SlotTable<Element> {
    private struct Slot {
        var generation: UInt16
        var element: Element?
    }

    private static var capacity: Int { 1 << 16 }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private let firstGeneration: UInt16
    private(set) var count = 0

    /// `seed` makes the names of two tables differ.
    init(seed: UInt16) { firstGeneration = seed }

    /// Places beyond this one are empty.
    var end: Int { slots.count }

    /// Stores what `make` gives for its name; nil when the table is full.
    mutating func insert(_ make: (UInt32) -> Element) -> Element? {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            guard slots.count < Self.capacity else { return nil }
            index = slots.count
            slots.append(Slot(generation: firstGeneration, element: nil))
        }
        let element = make(UInt32(slots[index].generation) << 16 | UInt32(index))
        slots[index].element = element
        count += 1
        return element
    }

    /// Stores what `make` gives under a name that another table gave; nil when the place is taken.
    mutating func restore(_ name: UInt32, _ make: () -> Element) -> Element? {
        let index = Int(name & 0xffff)
        while slots.count <= index {
            free.append(slots.count)
            slots.append(Slot(generation: firstGeneration, element: nil))
        }
        guard slots[index].element == nil else { return nil }
        let element = make()
        slots[index] = Slot(generation: UInt16(name >> 16), element: element)
        free.removeAll { $0 == index }
        count += 1
        return element
    }

    subscript(name: UInt32) -> Element? {
        let index = Int(name & 0xffff)
        guard index < slots.count, slots[index].generation == UInt16(name >> 16) else { return nil }
        return slots[index].element
    }

    /// Calls `body` with the element of that name, if there is one, without counting the reference: `body` does not remove it.
    @inline(__always)
    func with(_ name: UInt32, _ body: (Element) -> Void) where Element: AnyObject {
        let index = Int(name & 0xffff)
        guard index < slots.count, slots[index].generation == UInt16(name >> 16), let element = slots[index].element else { return }
        unsafe Unmanaged.passUnretained(element)._withUnsafeGuaranteedRef { body($0) }
    }

    subscript(place index: Int) -> Element? { slots.indices.contains(index) ? slots[index].element : nil }

    @discardableResult
    mutating func remove(_ name: UInt32) -> Element? {
        let index = Int(name & 0xffff)
        guard let element = self[name] else { return nil }
        slots[index] = Slot(generation: slots[index].generation &+ 1, element: nil)
        free.append(index)
        count -= 1
        return element
    }
}
