import Contracts
import Flow

/// `/v1/customers`: a row of ours, and a domain at the Registrar.
enum Customers {
    private static let name = Schema.text(.line(1...120))
    private static let status = Schema.text(.choice(CustomerStatus.allCases.map(\.rawValue)))

    static let routes: [Route] = [
        Route(
            .get, "/v1/customers", "listCustomers", "List customers; a customer's own key sees its own",
            access: .anyone(.read("customers")),
            query: Route.paging + [
                .init("domain", .text(.domain)), .init("name", name),
                .init("status", status),
            ],
            answer: .page(of: ResourceSchema.customer.reference), perform: list),
        Route(
            .post, "/v1/customers", "createCustomer", "Create a customer with a SIP domain", access: .operatorOnly,
            body: [
                .required("name", name), .required("domain", .text(.domain), "Unique; its phones register there."),
                .optional("status", status, "`active` if not given."),
            ] + ResourceSchema.customer.shown,
            answer: .created(ResourceSchema.customer.reference), perform: create),
        Route(
            .get, "/v1/customers/{id}", "getCustomer", "Read a customer", access: .anyone(.read("customers")),
            answer: .resource(ResourceSchema.customer.reference)
        ) { gateway, request in
            try .resource(try await find(request.id, gateway, request), .customer)
        },
        Route(
            .patch, "/v1/customers/{id}", "updateCustomer", "Rename, suspend or reactivate a customer, or give it another domain",
            access: .operatorOnly,
            body: [
                .optional("name", name), .optional("domain", .text(.domain), "Another than it has while it has no extensions."),
                .optional("status", status, "The keys and the phones of a suspended customer are refused."),
            ] + ResourceSchema.customer.shown,
            answer: .resource(ResourceSchema.customer.reference), perform: update),
        Route(
            .delete, "/v1/customers/{id}", "deleteCustomer", "Delete a customer with its keys, domain and phones",
            access: .operatorOnly, answer: .nothing
        ) { gateway, request in
            guard try await gateway.store.retireCustomer(request.id) else { throw ProblemDocument.notFound("customer") }
            gateway.keys.forget()
            // The row remembers that the Registrar has to be told; if it is away, the reconciliation tells it later.
            await gateway.reconciliation.tellRegistrar(of: request.id)
            return .noContent
        },
    ]

    private static func list(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let filter = CustomerFilter(
            id: request.customerID, domain: request.query["domain"], name: request.query["name"], status: request.query["status"])
        let page = try await gateway.page(request, id: \Customer.id) { limit, before in
            try await gateway.store.customers(filter, limit: limit, before: before)
        }
        return try .page(page, .customer)
    }

    private static func update(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        if let domain = request.fields.optionalText("domain") { try await move(to: domain, gateway, request) }
        let changed = try await gateway.store.updateCustomer(
            request.id, name: request.fields.optionalText("name"), status: wanted(in: request.fields))
        guard let changed else { throw ProblemDocument.notFound("customer") }
        gateway.keys.forget()
        // Whether its phones are let in; the row remembers, should the Registrar be away.
        await gateway.reconciliation.tellRegistrar(of: request.id)
        return try .resource(changed, .customer)
    }

    private static func move(to domain: String, _ gateway: Gateway, _ request: APIRequest) async throws {
        let customer: Customer
        switch try await gateway.store.beginMove(request.id, to: domain) {
        case .begun(let found): customer = found
        case .needless: return
        case .noCustomer: throw ProblemDocument.notFound("customer")
        case .taken: throw taken(domain)
        }
        let command = PutDomain(customerID: customer.id, domain: domain, isSuspended: customer.status == .suspended)
        do {
            _ = try await gateway.ask(command, for: request)
        } catch {
            // Unless it has not answered, what it knows is what the row says.
            if error.status != 503 { await gateway.reconciliation.tellRegistrar(of: customer.id) }
            guard error.status == 409 else { throw error }
            throw ProblemDocument(
                409, "domain_in_use", "The domain cannot be changed",
                "The customer has extensions, and what is kept of their passwords holds for \(customer.domain) alone; or somebody has \(domain).")
        }
        guard try await gateway.store.endMove(customer, to: domain) else { throw taken(domain) }
    }

    private static func taken(_ domain: String) -> ProblemDocument {
        ProblemDocument(409, "domain_taken", "The domain is taken", "Another customer has the domain \(domain).")
    }

    private static func wanted(in fields: Fields) -> CustomerStatus? { fields.optionalText("status").flatMap(CustomerStatus.init) }

    private static func create(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let id = request.seed.identifier("cust")
        let customer = try await insert(id, gateway, request)
        do {
            let command = PutDomain(customerID: id, domain: customer.domain, isSuspended: customer.status == .suspended)
            _ = try await gateway.ask(command, for: request)
        } catch {
            // Nobody has seen the customer yet. The Registrar refused it, or may still hear of it: then it is told otherwise.
            if error.status == 503 {
                _ = try await gateway.store.retireCustomer(id)
            } else {
                try await gateway.store.removeCustomer(id)
            }
            throw error
        }
        try await gateway.store.settleCustomer(id, domain: customer.domain, status: customer.status)
        return try .created(customer, .customer, at: "/v1/customers/\(id)")
    }

    private static func insert(_ id: String, _ gateway: Gateway, _ request: APIRequest) async throws -> Customer {
        let (name, domain) = (request.fields.text("name"), request.fields.text("domain"))
        for _ in 0..<2 {
            switch try await gateway.store.insertCustomer(id, name: name, domain: domain, status: wanted(in: request.fields) ?? .active) {
            case .inserted(let customer): return customer
            case .domainTaken: throw taken(domain)
            case .domainStillHeld(let former):
                // Its deletion waits for the Registrar.
                await gateway.reconciliation.tellRegistrar(of: former)
            }
        }
        throw ProblemDocument.unavailable(ServiceName.registrar.rawValue)
    }

    private static func find(_ id: String, _ gateway: Gateway, _ request: APIRequest) async throws -> Customer {
        if let own = request.customerID, own != id { throw ProblemDocument.notFound("customer") }
        guard let customer = try await gateway.store.customer(id) else { throw ProblemDocument.notFound("customer") }
        return customer
    }
}
