import Contracts
import Flow

/// `/v1/keys`: what a customer's programs authenticate with.
enum Keys {
    private static let name = Schema.text(.line(1...120))
    private static let scopes = Schema.list(of: .text(.choice(Scope.names)), count: 1...Scope.names.count)
    private static let expiry = Schema.nullable(.text(.timestamp))

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
                .optional("expires_at", expiry, "Never if not given."),
            ] + ResourceSchema.key.shown,
            answer: .created(ResourceSchema.newKey.reference), perform: create),
        Route(
            .get, "/v1/keys/{id}", "getKey", "Read a key, without its secret", access: .customer(.read("keys")),
            answer: .resource(ResourceSchema.key.reference)
        ) { gateway, request in
            guard let key = try await gateway.store.key(request.id, of: request.customer) else { throw ProblemDocument.notFound("key") }
            return try .resource(key, .key)
        },
        Route(
            .patch, "/v1/keys/{id}", "updateKey", "Rename a key, or change what it may do and for how long", access: .customer(.write("keys")),
            body: [
                .optional("name", name), .optional("scopes", scopes, "What it has, and no more than the changing key has."),
                .optional("expires_at", expiry, "Null: never. Later only by a key with all of its scopes."),
            ] + ResourceSchema.key.shown,
            answer: .resource(ResourceSchema.key.reference)
        ) { gateway, request in
            let (fields, holder, now) = (request.fields, request.principal.scopes, gateway.timestamp())
            let changed = try await gateway.store.changeKey(request.id, of: request.customer) { key in
                try Keys.changed(key, fields, by: holder, now: now)
            }
            guard let changed else { throw ProblemDocument.notFound("key") }
            gateway.keys.forget()
            return try .resource(changed, .key)
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
        try refuseExcess(scopes, over: request.principal.scopes)
        let expiresAt = request.fields.optionalText("expires_at").flatMap { Timestamp($0) }
        try refusePast(expiresAt, now: gateway.timestamp())
        let secret = APIKey(random: (0..<32).map { _ in .random(in: 0...255) }).secret
        let key = Key(
            id: request.seed.identifier("key"), customerID: request.customer, name: request.fields.text("name"), scopes: scopes,
            expiresAt: expiresAt, createdAt: gateway.timestamp())
        guard try await gateway.store.insertKey(key, digest: APIKey.digest(secret)) else { throw ProblemDocument.notFound("customer") }
        var shown = ResourceSchema.key.completed(try JSONValue(resource: key)).object ?? [:]
        shown["secret"] = .string(secret)
        return APIResponse(status: 201, body: JSONValue.object(shown).json, location: "/v1/keys/\(key.id)")
    }

    /// A key with what a PATCH changes. By that it gets no wider than the key of whoever asks: it is given no scope that this one lacks, and no
    /// longer life with one. What it has it may keep.
    static func changed(_ key: Key, _ fields: Fields, by holder: ScopeSet, now: Timestamp) throws(ProblemDocument) -> Key {
        var changed = key
        changed.name = fields.optionalText("name") ?? key.name
        if let scopes = fields.texts("scopes") {
            try refuseExcess(scopes, over: holder, kept: Set(key.scopes))
            changed.scopes = scopes
        }
        guard let given = fields["expires_at"] else { return changed }
        changed.expiresAt = given.string.flatMap { Timestamp($0) }
        guard changed.expiresAt != key.expiresAt else { return changed }
        try refusePast(changed.expiresAt, now: now)
        if lives(until: changed.expiresAt, longerThan: key.expiresAt), !changed.scopes.allSatisfy(holder.covers) {
            throw .invalid("/expires_at", "excessive_scope", "your own key does not have all scopes of a key that is to live longer")
        }
        return changed
    }

    private static func lives(until end: Timestamp?, longerThan other: Timestamp?) -> Bool {
        guard let other else { return false }
        return end.map { $0 > other } ?? true
    }

    private static func refuseExcess(_ scopes: [String], over holder: ScopeSet, kept: Set<String> = []) throws(ProblemDocument) {
        let excessive = scopes.enumerated().filter { !kept.contains($0.element) && !holder.covers($0.element) }
        guard excessive.isEmpty else {
            throw .invalid(excessive.map {
                Problem(pointer: "/scopes/\($0.offset)", code: "excessive_scope", detail: "your own key does not have \($0.element)")
            })
        }
    }

    private static func refusePast(_ expiry: Timestamp?, now: Timestamp) throws(ProblemDocument) {
        if let expiry, expiry <= now { throw .invalid("/expires_at", "in_the_past", "must be in the future") }
    }
}
