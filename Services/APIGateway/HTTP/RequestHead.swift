import Bytes
import HTTPTypes
import NIOHTTP1

/// The parts of a request's head that the gateway looks at, however it came in.
struct RequestHead: Sendable {
    var method: String
    var path: String
    var query: String
    var authorization: String?
    /// The customer an operator acts for.
    var customer: String?
    var contentType: String?
    var contentLength: Int?
    var idempotencyKey: String?
    var traceparent: String?
    var range: String?
    var accept: String?
    /// The address it came from.
    var peer: String

    private init(method: String, target: String, peer: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        (self.method, self.peer) = (method, peer)
        path = parts.first.map(String.init) ?? ""
        query = parts.count > 1 ? String(parts[1]) : ""
    }

    init(_ head: HTTPRequest, peer: String) {
        self.init(method: head.method.rawValue, target: head.path ?? "", peer: peer)
        func field(_ name: String) -> String? { HTTPField.Name(name).flatMap { head.headerFields[$0] } }
        (authorization, customer) = (head.headerFields[.authorization], field("tandem-customer"))
        (contentType, contentLength) = (head.headerFields[.contentType], head.headerFields[.contentLength].flatMap { Int($0) })
        (idempotencyKey, traceparent, range) = (field("idempotency-key"), field("traceparent"), field("range"))
        accept = head.headerFields[.accept]
    }

    init(_ head: HTTPRequestHead, peer: String) {
        self.init(method: head.method.rawValue, target: head.uri, peer: peer)
        func field(_ name: String) -> String? { head.headers.first(name: name) }
        (authorization, customer, traceparent) = (field("authorization"), field("tandem-customer"), field("traceparent"))
    }

    /// The `traceparent` of W3C Trace Context §3.2 as received, or a new one: the trace begins here.
    func trace(random: (UInt64, UInt64, UInt64)) -> String {
        if let given = traceparent, Self.isTraceparent(given) { return given }
        func digits(_ value: UInt64) -> String {
            Hexadecimal.encode(stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) })
        }
        return "00-\(digits(random.0))\(digits(random.1))-\(digits(random.2))-01"
    }

    static func isTraceparent(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [2, 32, 16, 2] && parts[0] == "00"
            && parts.allSatisfy { part in part.utf8.allSatisfy { ASCII.isDigit($0) || (97...102).contains($0) } }
            && parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" }
    }

    /// `application/json`, with parameters or not; a merge patch (RFC 7396) is what our PATCH bodies are.
    var isJSON: Bool {
        guard let type = contentType?.split(separator: ";").first else { return false }
        let name = type.filter { $0 != " " && $0 != "\t" }.lowercased()
        return name == "application/json" || (method == "PATCH" && name == "application/merge-patch+json")
    }
}
