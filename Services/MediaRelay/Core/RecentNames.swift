/// The last few operations of a session, so that one that is asked for twice is performed once.
struct RecentNames {
    private static let capacity = 32
    private var names: [String] = []
    private var next = 0

    /// False when it is among them.
    mutating func insert(_ name: String) -> Bool {
        guard !names.contains(name) else { return false }
        if names.count < Self.capacity {
            names.append(name)
        } else {
            names[next] = name
            next = (next + 1) % Self.capacity
        }
        return true
    }
}
