import Contracts
import Database
import Deadlines
import Flow
import Threads

/// The way of a request: match, authenticate, limit, allow, read, check, and only then perform.
extension Gateway {
    typealias BodyReader = @Sendable (_ limit: Int) async throws -> [UInt8]

    /// Thrown by a `BodyReader` that was sent more than the limit.
    struct BodyTooLarge: Error {}

    func respond(to head: RequestHead, body: BodyReader) async -> APIResponse {
        let began = MonotonicClock.now()
        var allowance: TokenBuckets.Verdict?
        var response: APIResponse
        do {
            response = try await answer(head, body: body, allowance: &allowance)
        } catch {
            response = APIResponse(problem(for: error, head))
        }
        if let allowance { response.fields.merge(allowance.fields) { _, told in told } }
        GatewayMetrics.count(status: response.status, nanoseconds: UInt64(max(0, (MonotonicClock.now() - began).nanoseconds)))
        return response
    }

    private func answer(
        _ head: RequestHead, body: BodyReader, allowance: inout TokenBuckets.Verdict?
    ) async throws -> APIResponse {
        let route: Route
        let parameters: [String: String]
        switch table.match(method: head.method, path: head.path) {
        case .found(let found, let values): (route, parameters) = (found, values)
        case .methodNotAllowed(let allowed): throw ProblemDocument.methodNotAllowed(allowed)
        case .notFound: throw ProblemDocument.noRoute
        }
        var request = try await admit(head, to: route, parameters: parameters, allowance: &allowance)
        let bytes = try await read(head, for: route, body: body)
        if let fields = route.body {
            request.fields = try Self.fields(bytes, fields)
            if let named = request.fields.optionalText("customer_id"), route.body?.contains(where: { $0.name == "customer_id" }) == true {
                try Self.act(for: named, &request)
            }
        }
        try await requireCustomer(&request, for: route)
        guard route.method == .post, let key = head.idempotencyKey else { return try await route.perform(self, request) }
        return try await performOnce(route, request, key: key, head, bytes)
    }

    /// Whether whoever asks may use this route: what is known before the body is read.
    func admit(
        _ head: RequestHead, to route: Route, parameters: [String: String] = [:], allowance: inout TokenBuckets.Verdict?
    ) async throws -> APIRequest {
        let principal = route.access == .open ? nil : try await authenticate(head, allowance: &allowance)
        if let principal {
            let verdict = rates.withLock { $0.take(principal.keyID, now: MonotonicClock.now()) }
            allowance = verdict
            guard verdict.isAllowed else { throw ProblemDocument.rateLimited(retryAfter: verdict.reset) }
            try Self.allow(principal, route.access)
        }
        var request = APIRequest(
            method: route.method, parameters: parameters, query: try Query.parse(head.query, for: route.query).get(), fields: Fields(members: [:]),
            bearer: principal, customerID: principal?.customerID, seed: newSeed(),
            traceparent: head.trace(random: (.random(in: 1 ... .max), .random(in: 1 ... .max), .random(in: 1 ... .max))),
            idempotencyKey: nil, range: head.range, accept: head.accept)
        if route.access != .operatorOnly, route.access != .open {
            for named in [head.customer, request.query["customer_id"]] {
                if let named { try Self.act(for: named, &request) }
            }
        }
        return request
    }

    /// Who is wrong about a key is told how often that is put up with.
    private func authenticate(_ head: RequestHead, allowance: inout TokenBuckets.Verdict?) async throws -> Principal {
        if let secret = APIKey.bearer(head.authorization), let principal = try await keys.principal(bearing: secret) { return principal }
        let verdict = strangers.withLock { $0.take(head.peer, now: MonotonicClock.now()) }
        allowance = verdict
        guard verdict.isAllowed else { throw ProblemDocument.rateLimited(retryAfter: verdict.reset) }
        throw ProblemDocument.unauthenticated
    }

    private static func allow(_ principal: Principal, _ access: Route.Access) throws(ProblemDocument) {
        if principal.isSuspended { throw .customerSuspended }
        switch access {
        case .open: break
        case .operatorOnly: guard principal.isOperator else { throw .operatorOnly }
        case .customer(let scope), .anyone(let scope): guard principal.scopes.allows(scope) else { throw .forbidden(scope: scope.name) }
        }
    }

    /// Somebody else's customer does not exist for a customer's key.
    private static func act(for customerID: String, _ request: inout APIRequest) throws(ProblemDocument) {
        if let current = request.customerID, current != customerID { throw .notFound("customer") }
        request.customerID = customerID
    }

    private func requireCustomer(_ request: inout APIRequest, for route: Route) async throws {
        guard case .customer = route.access else { return }
        guard let customerID = request.customerID else {
            throw ProblemDocument.invalid("/customer_id", "required", "an operator's key must name the customer to act for")
        }
        // A customer's own key is proof of the customer.
        if request.principal.isOperator, try await store.customer(customerID) == nil { throw ProblemDocument.notFound("customer") }
    }

    private func read(_ head: RequestHead, for route: Route, body: BodyReader) async throws -> [UInt8] {
        guard route.body != nil else { return [] }
        if let length = head.contentLength, length > largestBody { throw ProblemDocument.tooLarge(limit: largestBody) }
        let bytes: [UInt8]
        do {
            bytes = try await body(largestBody)
        } catch is BodyTooLarge {
            throw ProblemDocument.tooLarge(limit: largestBody)
        }
        guard bytes.isEmpty || head.isJSON else { throw ProblemDocument.unsupportedMediaType }
        return bytes
    }

    /// No body at all is an empty object.
    static func fields(_ bytes: [UInt8], _ fields: [Schema.Field]) throws(ProblemDocument) -> Fields {
        let value: JSONValue
        do {
            value = bytes.isEmpty ? [:] : try JSONValue(json: bytes, limits: JSONLimits(bytes: bytes.count, depth: 32))
        } catch {
            throw .malformed(error.description)
        }
        let problems = Schema.object(fields).problems(in: value)
        guard problems.isEmpty else { throw .invalid(problems) }
        return Fields(members: value.object ?? [:])
    }

    private func performOnce(
        _ route: Route, _ request: APIRequest, key: String, _ head: RequestHead, _ bytes: [UInt8]
    ) async throws -> APIResponse {
        guard Idempotency.isKey(key) else {
            throw ProblemDocument(
                422, "invalid_idempotency_key", "The idempotency key is not valid", "It has 1 to 255 visible ASCII characters.")
        }
        var request = request
        request.idempotencyKey = key
        let fingerprint = Idempotency.fingerprint(method: head.method, path: head.path, body: bytes)
        switch try await store.begin(key, of: request.owner, fingerprint: fingerprint, seed: request.seed) {
        case .perform(let seed): request.seed = seed
        case .repeatResponse(let stored):
            var response = APIResponse(status: stored.status, body: stored.body, location: stored.location)
            response.fields["idempotent-replayed"] = "true"
            return response
        case .refuse(let problem): throw problem
        }
        let response: APIResponse
        do {
            response = try await route.perform(self, request)
        } catch {
            response = APIResponse(problem(for: error, head))
        }
        do {
            try await store.settle(key, of: request.owner, as: Idempotency.settle(status: response.status), with: response)
        } catch {
            // The request is done and its answer true; the key opens again by itself, with the same ids.
            logger.warning("the answer to a request with an idempotency key could not be stored: \(error)")
        }
        return response
    }

    private func problem(for error: any Error, _ head: RequestHead) -> ProblemDocument {
        switch error {
        case let problem as ProblemDocument: return problem
        case DatabaseError.unavailable: return .unavailable("The database")
        case is CancellationError: return .unavailable("This instance")
        default:
            logger.error("a request failed", metadata: ["request": "\(head.method) \(head.path)", "error": "\(error)"])
            return .internalError
        }
    }
}
