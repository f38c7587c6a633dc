import Contracts
import Flow

/// `/v1/keys`: what a customer's programs authenticate with.
enum Keys {
    private static let name = Schema.text(.line(1...120))
    private static let scopes = Schema.list(of: .text(.choice(Scope.names)), count: 1...Scope.names.count)

    static let routes: [Route] = [
        Route(
            .get, "/v1/keys", "listKeys", "List keys", access: .customer(.read("keys")), query: Route.paging + [.init("name", name)],
            answer: .page(of: ResourceSchema.key.reference)
        ) { gateway, request in
            let page = try await gateway.page(request, id: \Key.id) { limit, before in
                try await gateway.store.keys(of: request.customer, name: request.query["name"], limit: limit, before: before)
            }
            return try .page(page, .key)
        },
        Route(
            .post, "/v1/keys", "createKey", "Create a key; its secret is shown once", access: .customer(.write("keys")),
            body: [
                .required("name", name),
                .optional("scopes", scopes, "Everything (`*`) if not given; never more than the creating key has."),
                .optional("expires_at", .nullable(.text(.timestamp)), "Never if not given."),
            ],
            answer: .created(ResourceSchema.newKey.reference), perform: create),
        Route(
            .get, "/v1/keys/{id}", "getKey", "Read a key, without its secret", access: .customer(.read("keys")),
            answer: .resource(ResourceSchema.key.reference)
        ) { gateway, request in
            guard let key = try await gateway.store.key(request.id, of: request.customer) else { throw ProblemDocument.notFound("key") }
            return try .resource(key, .key)
        },
        Route(
            .patch, "/v1/keys/{id}", "updateKey", "Rename a key", access: .customer(.write("keys")),
            body: [.required("name", name)], answer: .resource(ResourceSchema.key.reference)
        ) { gateway, request in
            let renamed = try await gateway.store.renameKey(request.id, of: request.customer, to: request.fields.text("name"))
            guard let renamed else { throw ProblemDocument.notFound("key") }
            return try .resource(renamed, .key)
        },
        Route(
            .delete, "/v1/keys/{id}", "deleteKey", "Revoke a key", access: .customer(.write("keys")), answer: .nothing
        ) { gateway, request in
            guard try await gateway.store.deleteKey(request.id, of: request.customer) else { throw ProblemDocument.notFound("key") }
            gateway.keys.forget()
            return .noContent
        },
    ]

    private static func create(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let scopes = request.fields.texts("scopes") ?? ["*"]
        let excessive = scopes.enumerated().filter { !request.principal.scopes.covers($0.element) }
        guard excessive.isEmpty else {
            throw ProblemDocument.invalid(excessive.map {
                Problem(pointer: "/scopes/\($0.offset)", code: "excessive_scope", detail: "your own key does not have \($0.element)")
            })
        }
        let expiresAt = request.fields.optionalText("expires_at").flatMap { Timestamp($0) }
        if let expiresAt, expiresAt <= gateway.timestamp() {
            throw ProblemDocument.invalid("/expires_at", "in_the_past", "must be in the future")
        }
        let secret = APIKey(random: (0..<32).map { _ in .random(in: 0...255) }).secret
        let key = Key(
            id: request.seed.identifier("key"), customerID: request.customer, name: request.fields.text("name"), scopes: scopes,
            expiresAt: expiresAt, createdAt: gateway.timestamp())
        guard try await gateway.store.insertKey(key, digest: APIKey.digest(secret)) else { throw ProblemDocument.notFound("customer") }
        var shown = ResourceSchema.key.completed(try JSONValue(resource: key)).object ?? [:]
        shown["secret"] = .string(secret)
        return APIResponse(status: 201, body: JSONValue.object(shown).json, location: "/v1/keys/\(key.id)")
    }
}
