import Contracts
import Deadlines
import SIP

/// A request whose flow is dead (430, RFC 5626 §11.1) looking for the connection on which its phone comes back: the binding of
/// the same phone, registered anew.
struct Rerouting: Sendable {
    enum Verdict: Sendable, Equatable {
        /// Send it again by this path.
        case take([String])
        /// The phone has not registered anew.
        case wait
        /// The phone is rung over its new binding already: nothing is left to be done here.
        case served
    }

    let customer: String
    let number: String
    /// The contact that the request was for.
    let contact: String
    /// The instance-id of its phone, when that gave one.
    var instanceID: String?
    /// The route that failed.
    let deadRoute: String
    /// When the search is given up.
    let deadline: Instant
    /// Paths by which other branches of the same call ring.
    var taken: [[String]] = []

    /// The same phone by its instance-id, else by its contact; a binding that stands alone can be no other phone's.
    func choose(among bindings: [ReachableBinding]) -> Verdict {
        let fresh = bindings.flatMap(\.flows).filter { $0.path.first.flatMap { URI($0) }.map { $0.description != deadRoute } ?? false }
        let found =
            instanceID.flatMap { id in fresh.first { $0.instanceID == id } } ?? fresh.first { $0.contact == contact }
            ?? (fresh.count == 1 && instanceID == nil ? fresh.first : nil)
        guard let found else { return .wait }
        return taken.contains(found.path) ? .served : .take(found.path)
    }

    /// How long after a search that found nothing the next one begins.
    static let pause = Interval.milliseconds(250)
}
