import Contracts

extension Page {
    /// A page out of one element more than it may hold: the last is only the proof that there are more.
    init(_ elements: [Element], limit: Int, cursor: (Element) -> String) {
        let shown = Array(elements.prefix(limit))
        self.init(data: shown, nextCursor: elements.count > limit ? shown.last.map(cursor) : nil)
    }
}
