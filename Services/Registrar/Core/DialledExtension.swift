import Contracts

/// The extension that was dialled, and which of its phones.
enum DialledExtension: Sendable, Equatable {
    case whole(number: String)
    /// By a public GRUU with this `gr`.
    case instance(number: String, gr: String)
    /// By a temporary GRUU.
    case temporary(number: String, TemporaryGRUU.Opened)

    var number: String {
        switch self {
        case .whole(let number), .instance(let number, _), .temporary(let number, _): number
        }
    }

    /// Where it can be reached, best first.
    func targets(of set: BindingSet, now: Int64) -> [BindingSet.Target] {
        switch self {
        case .whole: set.targets(now: now)
        case .instance(_, let gr): set.instance(now: now) { $0.instanceID.map { GRUU.matches(gr, $0) } ?? false }
        case .temporary(_, let opened): set.instance(now: now, where: opened.names)
        }
    }
}
