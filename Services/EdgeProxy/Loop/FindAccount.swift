import Bus
import Contracts
import Deadlines

/// Asks the Registrar for an account.
struct FindAccount: Sendable {
    enum Outcome: Sendable {
        case found(Account)
        /// What it was before the Registrar's database went away.
        case lastKnown(Account)
        case absent
        /// The Registrar, or the bus to it, is away.
        case unavailable
    }

    /// Nil: there is nobody to ask.
    let bus: Bus?

    /// The completion is called once, on a thread of the bus or at once on the caller's.
    func callAsFunction(_ key: AccountCache.Key, completion: @escaping @Sendable (Outcome) -> Void) {
        guard let bus else { return completion(.unavailable) }
        let command = FindCredentials(domain: key.domain, username: key.user)
        bus.call(command, context: CallContext(deadline: .seconds(2))) { result in
            switch result {
            case .success(let reply):
                let account = Account(
                    customer: reply.customerID, user: reply.username, domain: reply.domain, md5: reply.ha1MD5,
                    sha256: reply.ha1SHA256, isSuspended: reply.isSuspended == true)
                completion(reply.isLastKnown == true ? .lastKnown(account) : .found(account))
            case .failure(let error) where error.code == .notFound || error.code == .invalid:
                completion(.absent)
            case .failure:
                completion(.unavailable)
            }
        }
    }
}
