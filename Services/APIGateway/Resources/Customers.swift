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
            body: [.required("name", name), .required("domain", .text(.domain), "Unique; its phones register there.")],
            answer: .created(ResourceSchema.customer.reference), perform: create),
        Route(
            .get, "/v1/customers/{id}", "getCustomer", "Read a customer", access: .anyone(.read("customers")),
            answer: .resource(ResourceSchema.customer.reference)
        ) { gateway, request in
            try .resource(try await find(request.id, gateway, request), .customer)
        },
        Route(
            .patch, "/v1/customers/{id}", "updateCustomer", "Rename, suspend or reactivate a customer", access: .operatorOnly,
            body: [
                .optional("name", name),
                .optional("status", status, "The keys of a suspended customer are refused."),
            ],
            answer: .resource(ResourceSchema.customer.reference)
        ) { gateway, request in
            let changed = try await gateway.store.updateCustomer(
                request.id, name: request.fields.optionalText("name"),
                status: request.fields.optionalText("status").flatMap(CustomerStatus.init))
            guard let changed else { throw ProblemDocument.notFound("customer") }
            gateway.keys.forget()
            return try .resource(changed, .customer)
        },
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

    private static func create(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let id = request.seed.identifier("cust")
        let customer = try await insert(id, gateway, request)
        do {
            _ = try await gateway.ask(PutDomain(customerID: id, domain: customer.domain), for: request)
        } catch {
            // Nobody has seen the customer yet. The Registrar refused it, or may still hear of it: then it is told otherwise.
            if error.status == 503 {
                _ = try await gateway.store.retireCustomer(id)
            } else {
                try await gateway.store.removeCustomer(id)
            }
            throw error
        }
        try await gateway.store.settleCustomer(id)
        return try .created(customer, .customer, at: "/v1/customers/\(id)")
    }

    private static func insert(_ id: String, _ gateway: Gateway, _ request: APIRequest) async throws -> Customer {
        let (name, domain) = (request.fields.text("name"), request.fields.text("domain"))
        for _ in 0..<2 {
            switch try await gateway.store.insertCustomer(id, name: name, domain: domain) {
            case .inserted(let customer): return customer
            case .domainTaken:
                throw ProblemDocument(409, "domain_taken", "The domain is taken", "Another customer has the domain \(domain).")
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
