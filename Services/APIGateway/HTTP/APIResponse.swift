import Contracts
import Flow
import Foundation

/// What is answered: a status, a body and the few header fields that go with it.
struct APIResponse: Sendable {
    var status: Int
    var contentType: String?
    var body: [UInt8]
    var location: String?
    var fields: [String: String] = [:]
    /// In place of `body`: what is too large to be held.
    var stream: Stream?

    /// A body that is fetched piece by piece, as fast as the client takes it.
    struct Stream: Sendable {
        let length: Int
        /// The next piece, from this place on; never empty before the end.
        let read: @Sendable (_ offset: Int) async throws -> [UInt8]
    }

    init(status: Int, contentType: String? = "application/json", body: [UInt8] = [], location: String? = nil) {
        (self.status, self.contentType, self.body, self.location) = (status, contentType, body, location)
    }

    static let noContent = APIResponse(status: 204, contentType: nil)

    static func resource(_ value: some Encodable, _ schema: ResourceSchema) throws -> APIResponse {
        APIResponse(status: 200, body: schema.completed(try JSONValue(resource: value)).json)
    }

    static func created(_ value: some Encodable, _ schema: ResourceSchema, at location: String) throws -> APIResponse {
        APIResponse(status: 201, body: schema.completed(try JSONValue(resource: value)).json, location: location)
    }

    static func page<Element>(_ page: Page<Element>, _ schema: ResourceSchema) throws -> APIResponse {
        let elements = try page.data.map { schema.completed(try JSONValue(resource: $0)) }
        return .page(elements, nextCursor: page.nextCursor)
    }

    static func page(_ elements: [JSONValue], nextCursor: String?) -> APIResponse {
        let body: JSONValue = ["data": .array(elements), "next_cursor": nextCursor.map(JSONValue.string) ?? .null]
        return APIResponse(status: 200, body: body.json)
    }

    init(_ problem: ProblemDocument) {
        self.init(status: problem.status, contentType: "application/problem+json", body: problem.body)
        if let seconds = problem.retryAfter { fields["retry-after"] = String(seconds) }
        if !problem.allow.isEmpty { fields["allow"] = problem.allow.joined(separator: ", ") }
        if problem.status == 426 { fields["upgrade"] = "websocket" }
        if problem.status == 401 { fields["www-authenticate"] = "Bearer realm=\"tandem\"" }
    }
}

extension JSONValue {
    /// The JSON of a value of the contracts, as their coding keys write it.
    init(resource value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        try self.init(json: Array(try encoder.encode(value)), limits: JSONLimits(bytes: .max, depth: 128))
    }
}
