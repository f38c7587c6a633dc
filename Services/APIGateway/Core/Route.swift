/// One operation of the API: what the router matches, the pipeline enforces and the OpenAPI document shows.
struct Route: Sendable {
    enum Method: String, Sendable, CaseIterable { case get = "GET", post = "POST", patch = "PATCH", delete = "DELETE" }

    enum Access: Sendable, Equatable {
        /// Without a key.
        case open
        /// For one customer: that of the key, or the one an operator names.
        case customer(Scope)
        /// A customer sees what is its own, an operator sees all.
        case anyone(Scope)
        case operatorOnly
    }

    enum Answer: Sendable {
        case resource(Schema)
        case created(Schema)
        case page(of: Schema)
        case nothing
        /// Not JSON: the media type.
        case document(String)
        /// 101 after an RFC 6455 handshake.
        case webSocket
    }

    struct Parameter: Sendable {
        let name: String
        let schema: Schema
        let note: String

        init(_ name: String, _ schema: Schema, _ note: String = "") { (self.name, self.schema, self.note) = (name, schema, note) }
    }

    typealias Performance = @Sendable (Gateway, APIRequest) async throws -> APIResponse

    let method: Method
    let path: PathTemplate
    /// `operationId` of OpenAPI.
    let name: String
    let summary: String
    let access: Access
    let query: [Parameter]
    /// Nil when no body is read.
    let body: [Schema.Field]?
    let answer: Answer
    let perform: Performance

    init(
        _ method: Method, _ path: String, _ name: String, _ summary: String, access: Access, query: [Parameter] = [],
        body: [Schema.Field]? = nil, answer: Answer, perform: @escaping Performance
    ) {
        (self.method, self.path, self.name, self.summary) = (method, PathTemplate(path), name, summary)
        (self.access, self.answer, self.perform) = (access, answer, perform)
        // Wherever a customer is needed an operator may name it.
        if case .customer = access {
            self.query = query + [Parameter("customer_id", .text(.identifier), "for an operator's key: whom to act for")]
            self.body = [.post, .patch].contains(method) ? body.map { $0 + [Self.customerField] } : body
        } else {
            (self.query, self.body) = (query, body)
        }
    }

    private static let customerField = Schema.Field.optional(
        "customer_id", .text(.identifier), "For an operator's key: whom to act for.")

    static let paging = [
        Parameter("limit", .integer(1...500), "how many, 50 if not given"),
        Parameter("cursor", .text(.line(1...512)), "`next_cursor` of the page before"),
    ]
}
