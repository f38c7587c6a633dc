import Contracts
import Flow

/// A refusal as RFC 9457 `application/problem+json`, with a `code` that stays the same for ever.
struct ProblemDocument: Error, Sendable, Equatable {
    var status: Int
    var code: String
    var title: String
    var detail: String
    var errors: [Mistake] = []
    /// Seconds, for `Retry-After`.
    var retryAfter: Int?
    /// Methods, for `Allow` (RFC 9110 §10.2.1).
    var allow: [String] = []

    /// One mistake: in the body, at a JSON pointer, or in a query parameter.
    struct Mistake: Sendable, Equatable {
        var pointer: String?
        var parameter: String?
        var code: String?
        var detail: String
    }

    init(_ status: Int, _ code: String, _ title: String, _ detail: String = "", errors: [Mistake] = [], retryAfter: Int? = nil) {
        (self.status, self.code, self.title, self.detail) = (status, code, title, detail)
        (self.errors, self.retryAfter) = (errors, retryAfter)
    }

    var body: [UInt8] {
        var members: [String: JSONValue] = [
            "type": .string("urn:tandem:problem:" + code), "title": .string(title), "status": .integer(Int64(status)),
            "detail": .string(detail), "code": .string(code),
        ]
        if !errors.isEmpty {
            members["errors"] = .array(errors.map { mistake in
                var entry: [String: JSONValue] = ["detail": .string(mistake.detail)]
                if let pointer = mistake.pointer { entry["pointer"] = .string(pointer) }
                if let parameter = mistake.parameter { entry["parameter"] = .string(parameter) }
                if let code = mistake.code { entry["code"] = .string(code) }
                return .object(entry)
            })
        }
        return JSONValue.object(members).json
    }
}

extension ProblemDocument {
    static let unauthenticated = ProblemDocument(
        401, "unauthenticated", "No valid key", "Send a valid key as `Authorization: Bearer tk_...`.")

    static func forbidden(scope: String) -> ProblemDocument {
        ProblemDocument(403, "insufficient_scope", "The key does not allow this", "The key needs the scope \(scope).")
    }

    static let operatorOnly = ProblemDocument(
        403, "operator_only", "The key does not allow this", "Only an operator's key may do this.")

    static let customerSuspended = ProblemDocument(
        403, "customer_suspended", "The customer is suspended", "The operator has suspended this customer.")

    static func notFound(_ what: String) -> ProblemDocument {
        ProblemDocument(404, "not_found", "Not found", "There is no such \(what).")
    }

    static let noRoute = ProblemDocument(404, "unknown_route", "Not found", "No route of this API; see /openapi.json.")

    static func methodNotAllowed(_ allow: [String]) -> ProblemDocument {
        var problem = ProblemDocument(
            405, "method_not_allowed", "Method not allowed", "Allowed here: " + allow.joined(separator: ", ") + ".")
        problem.allow = allow
        return problem
    }

    static func tooLarge(limit: Int) -> ProblemDocument {
        ProblemDocument(413, "body_too_large", "The body is too large", "At most \(limit) bytes are read.")
    }

    static let unsupportedMediaType = ProblemDocument(
        415, "unsupported_media_type", "Unsupported media type", "Send the body as `Content-Type: application/json`.")

    static func malformed(_ reason: String) -> ProblemDocument {
        ProblemDocument(422, "malformed_json", "The body is no JSON", "The body is no JSON text: \(reason).",
            errors: [Mistake(pointer: "", code: "malformed_json", detail: reason)])
    }

    static func invalid(_ problems: [Problem]) -> ProblemDocument {
        ProblemDocument(
            422, "invalid", "The request is not valid", "See `errors` for each mistake.",
            errors: problems.map { Mistake(pointer: $0.pointer, code: $0.code, detail: $0.detail) })
    }

    static func invalid(_ pointer: String, _ code: String, _ detail: String) -> ProblemDocument {
        invalid([Problem(pointer: pointer, code: code, detail: detail)])
    }

    static func invalidQuery(_ mistakes: [Mistake]) -> ProblemDocument {
        ProblemDocument(422, "invalid", "The request is not valid", "See `errors` for each mistake.", errors: mistakes)
    }

    static func rateLimited(retryAfter: Int) -> ProblemDocument {
        ProblemDocument(429, "rate_limited", "Too many requests", "Slow down, then try again.", retryAfter: retryAfter)
    }

    static func unavailable(_ what: String) -> ProblemDocument {
        ProblemDocument(503, "unavailable", "Temporarily unavailable", "\(what) does not answer; try again.", retryAfter: 1)
    }

    static let internalError = ProblemDocument(500, "internal", "Internal error", "The mistake is ours, and it is in our logs.")

    /// What another service's refusal means to the customer.
    init(_ error: RPCError, from service: ServiceName) {
        let detail = error.detail
        switch error.code {
        case .notFound:
            self.init(404, "not_found", "Not found", detail.isEmpty ? "There is no such resource." : detail)
        case .conflict:
            self.init(409, "conflict", "Conflict", detail)
        case .invalid:
            self = .invalid(error.problems)
            if error.problems.isEmpty { self.errors = [Mistake(pointer: "", detail: detail)] }
        case .forbidden:
            self.init(403, "forbidden", "Not allowed", detail)
        case .notAcceptable:
            self.init(422, "not_acceptable", "Not acceptable", detail)
        case .exhausted:
            self.init(429, "limit_reached", "A limit is reached", detail, retryAfter: 5)
        case .unavailable, .timeout, .fenced:
            self = .unavailable(service.rawValue)
        case .failed:
            self = .internalError
        }
    }
}
