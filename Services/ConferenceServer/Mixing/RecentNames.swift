/// The last few names of something; the oldest gives way.
struct RecentNames: Sendable, Codable {
    private let limit: Int
    private var names: [String] = []

    init(limit: Int = 32) { self.limit = limit }

    func contains(_ name: String) -> Bool { names.contains(name) }

    /// False when it was there.
    @discardableResult
    mutating func insert(_ name: String) -> Bool {
        guard !names.contains(name) else { return false }
        if names.count >= limit { names.removeFirst() }
        names.append(name)
        return true
    }

    /// True when it was there.
    mutating func remove(_ name: String) -> Bool {
        guard let index = names.firstIndex(of: name) else { return false }
        names.remove(at: index)
        return true
    }
}
