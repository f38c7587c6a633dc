import Contracts
import Database

/// What of a customer the Registrar has still to be told.
enum RegistrarNews: String, Sendable { case put, remove }

/// How a customer's change of its domain began.
enum DomainMove: Sendable {
    /// The customer as it is until the Registrar has agreed.
    case begun(Customer)
    case needless
    case noCustomer
    case taken
}

/// What the Registrar knows of customers: their domains, and whether they are suspended.
extension AccountStore {
    struct PendingCustomer: Sendable {
        var news: RegistrarNews
        var domain: String
        var status: CustomerStatus
    }

    /// The Registrar knows this of the customer. What has been changed meanwhile it does not.
    func settleCustomer(_ id: String, domain: String, status: CustomerStatus) async throws {
        _ = try await database.run { connection in
            try connection.change(
                "update accounts.customers set pending = null where id = $1 and pending = 'put' and domain = $2 and status = $3",
                [.text(id), .text(domain), .text(status.rawValue)])
        }
    }

    /// The Registrar has forgotten the customer, or has never known it.
    func removeCustomer(_ id: String) async throws {
        _ = try await database.run { connection in
            try connection.change("delete from accounts.customers where id = $1", [.text(id)])
        }
    }

    func pendingCustomer(_ id: String) async throws -> PendingCustomer? {
        try await database.run { connection in
            let rows = try connection.query("select domain, status, pending from accounts.customers where id = $1", [.text(id)])
            guard let row = rows.first, let news = try row.optionalText("pending").flatMap(RegistrarNews.init),
                let status = CustomerStatus(rawValue: try row.text("status"))
            else { return nil }
            return PendingCustomer(news: news, domain: try row.text("domain"), status: status)
        }
    }

    /// Those that whoever changed them has not settled by now.
    func pendingCustomers() async throws -> [String] {
        try await database.run { connection in
            try connection.query(
                """
                select id from accounts.customers where pending is not null and updated_at < now() - interval '10 s'
                order by updated_at limit 100
                """
            ).map { try $0.text("id") }
        }
    }

    // MARK: Another domain

    /// The Registrar has the last word, so it is asked before the row says so. If nobody comes to `endMove`, it is told of the former domain again.
    func beginMove(_ id: String, to domain: String) async throws -> DomainMove {
        try await database.transaction(.durable) { connection in
            let rows = try connection.query(
                """
                select \(Self.customerColumns) from accounts.customers where id = $1 and pending is distinct from 'remove' for update
                """, [.text(id)])
            guard let customer = try rows.first.map(Self.customer) else { return .noCustomer }
            guard customer.domain != domain else { return .needless }
            let others = try connection.query("select id from accounts.customers where domain = $1", [.text(domain)])
            guard others.isEmpty else { return .taken }
            try connection.change("update accounts.customers set pending = 'put', updated_at = now() where id = $1", [.text(id)])
            return .begun(customer)
        }
    }

    /// The Registrar has agreed, and is told once more: of a status that was changed meanwhile it may have been told with the former domain. False when
    /// somebody else has come by the domain.
    func endMove(_ customer: Customer, to domain: String) async throws -> Bool {
        do {
            return try await database.transaction(.durable) { connection in
                try connection.change(
                    """
                    update accounts.customers set domain = $2, pending = 'put', updated_at = now()
                    where id = $1 and pending is distinct from 'remove'
                    """, [.text(customer.id), .text(domain)]) == 1
            }
        } catch DatabaseError.uniqueViolation {
            return false
        }
    }
}
