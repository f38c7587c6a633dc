/// The last few names of something; the oldest gives way.
struct RecentNames: Sendable {
    private static let limit = 32
    private var names: [String] = []

    func contains(_ name: String) -> Bool { names.contains(name) }

    mutating func insert(_ name: String) {
        guard !names.contains(name) else { return }
        if names.count == Self.limit { names.removeFirst() }
        names.append(name)
    }

    /// True when it was there.
    mutating func remove(_ name: String) -> Bool {
        guard let index = names.firstIndex(of: name) else { return false }
        names.remove(at: index)
        return true
    }
}
