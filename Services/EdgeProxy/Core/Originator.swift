import SIP

/// Who a request from outside is known to be of.
enum Originator: Sendable, Hashable {
    case account(Account)
    case trunk(Trunk)

    /// Whoever it is, it is refused.
    var isSuspended: Bool {
        if case .account(let account) = self { account.isSuspended } else { false }
    }

    /// What the inside is told.
    var identity: Forwarding.Identity {
        switch self {
        case .account(let account):
            Forwarding.Identity(.user(account.user), domain: account.domain, customer: account.customer)
        case .trunk(let trunk): Forwarding.Identity(.trunk(trunk.name), domain: trunk.domain, customer: trunk.customer)
        }
    }

    /// What is left of its own assertions.
    var stripping: Forwarding.Stripping {
        if case .trunk(let trunk) = self, trunk.isTrustedForIdentity { return .credentials }
        return .assertions
    }
}
