import Bus
import Contracts
import Flow

/// A request that has passed the pipeline: matched, authenticated, allowed, and checked against its route's schemas.
struct APIRequest: Sendable {
    var method: Route.Method
    var parameters: [String: String]
    var query: Query
    var fields: Fields
    /// Who holds the key; nil on open routes.
    var bearer: Principal?
    /// The customer that is acted for; nil only on routes that are not for one.
    var customerID: String?
    var seed: IdentifierSeed
    var traceparent: String
    var idempotencyKey: String?
    /// The field `Range`, as it came.
    var range: String?
    /// The field `Accept`, likewise.
    var accept: String?

    var customer: String {
        guard let customerID else { preconditionFailure("the pipeline finds the customer of every route that is for one") }
        return customerID
    }

    var principal: Principal {
        guard let bearer else { preconditionFailure("only open routes are used without a key") }
        return bearer
    }

    /// Whose idempotency keys are meant.
    var owner: String { customerID ?? "operator" }

    /// The `{id}` of the path.
    var id: String { parameter("id") }

    func parameter(_ name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the path of this route has no {\(name)}") }
        return value
    }

    var page: PageRequest {
        PageRequest(limit: query.integer("limit") ?? PageRequest.defaultLimit, cursor: query["cursor"])
    }
}

/// The body's members, after its schema has found no fault in them.
struct Fields: Sendable {
    let members: [String: JSONValue]

    subscript(name: String) -> JSONValue? { members[name] }

    /// A required text.
    func text(_ name: String) -> String {
        guard let text = members[name]?.string else { preconditionFailure("the schema requires the text \(name)") }
        return text
    }

    func optionalText(_ name: String) -> String? { members[name]?.string }
    func integer(_ name: String) -> Int? { members[name]?.integer.map(Int.init) }
    func flag(_ name: String) -> Bool? { members[name]?.bool }
    func texts(_ name: String) -> [String]? { members[name]?.array?.compactMap(\.string) }

    /// For a PATCH of something that can be removed: nil leaves it, an empty text removes it.
    func change(_ name: String) -> String? {
        switch members[name] {
        case nil: nil
        case .null: ""
        case .some(let value): value.string
        }
    }
}
