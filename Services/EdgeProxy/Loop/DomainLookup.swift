import Bus
import Contracts
import Deadlines

/// Asks the Registrar whether anybody has a domain.
struct DomainLookup: Sendable {
    /// Nil: there is nobody to ask.
    let bus: Bus?

    /// The completion is called once, on a thread of the bus or at once on the caller's; nil: the Registrar, or the bus to it, is
    /// away.
    func callAsFunction(_ domain: String, completion: @escaping @Sendable (Bool?) -> Void) {
        guard let bus else { return completion(nil) }
        bus.call(FindDomain(domain: domain), context: CallContext(deadline: .seconds(2))) { result in
            switch result {
            case .success: completion(true)
            case .failure(let error) where error.code == .notFound || error.code == .invalid: completion(false)
            case .failure: completion(nil)
            }
        }
    }
}
