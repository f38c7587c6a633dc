import Flow
import Testing

@testable import APIGateway

@Suite("API: routes and their document")
struct GatewayRouteTests {
    @Test("a method and a path find their route", arguments: [
        ("GET", "/v1/calls", "listCalls", [:]),
        ("GET", "/v1/calls/call_1", "getCall", ["id": "call_1"]), ("HEAD", "/v1/calls/call_1", "getCall", ["id": "call_1"]),
        ("POST", "/v1/calls/call_1/actions/hangup", "hangUpCall", ["id": "call_1"]),
        ("PATCH", "/v1/conferences/c/participants/p", "updateParticipant", ["id": "c", "participant_id": "p"]),
        ("GET", "/v1/events/stream", "streamEvents", [:]), ("GET", "/v1/events/evt_1", "getEvent", ["id": "evt_1"]),
        ("GET", "/", "landing", [:]),
    ] as [(String, String, String, [String: String])])
    func found(method: String, path: String, name: String, parameters: [String: String]) throws {
        guard case .found(let route, let values) = API.table.match(method: method, path: path) else {
            Issue.record("\(method) \(path) is not found")
            return
        }
        #expect(route.name == name)
        #expect(values == parameters)
    }

    @Test("another method of a path is answered with the ones it has; a path that does not exist is not found")
    func refused() {
        guard case .methodNotAllowed(let allowed) = API.table.match(method: "PUT", path: "/v1/flows/f") else {
            Issue.record("405 expected")
            return
        }
        #expect(allowed == ["GET", "HEAD", "PATCH", "DELETE"])
        for path in ["/v1", "/v1/", "/v1/calls/", "/v2/calls", "/v1/calls/x/y", "", "v1/calls", "//v1/calls"] {
            guard case .notFound = API.table.match(method: "GET", path: path) else {
                Issue.record("\(path) is found")
                continue
            }
        }
    }

    @Test("RFC 9110 §9.3.2: HEAD is answered where GET is, and nowhere else")
    func head() {
        for route in API.table.routes where route.method != .get {
            let path = route.path.text.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }.joined(separator: "/")
            if case .found(let found, _) = API.table.match(method: "HEAD", path: "/" + path) { #expect(found.method == .get) }
        }
        guard case .methodNotAllowed(["POST"]) = API.table.match(method: "HEAD", path: "/v1/calls/x/actions/hangup") else {
            Issue.record("405 expected")
            return
        }
    }

    @Test("the OpenAPI document has exactly the routes of the table")
    func document() throws {
        let document = OpenAPIDocument.make(of: API.table, version: "1")
        let paths = try #require(document["paths"]?.object)
        let documented = paths.flatMap { path, operations in
            (operations.object ?? [:]).keys.map { "\($0.uppercased()) \(path)" }
        }
        #expect(Set(documented) == Set(API.table.routes.map { "\($0.method.rawValue) \($0.path.text)" }))
        #expect(document["openapi"] == "3.1.0")
    }

    @Test("every reference in the document leads somewhere")
    func references() throws {
        let document = OpenAPIDocument.make(of: API.table, version: "1")
        func check(_ value: JSONValue) {
            switch value {
            case .object(let members):
                if let target = members["$ref"]?.string {
                    let end = target.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
                    #expect(end != nil, "\(target)")
                }
                members.values.forEach(check)
            case .array(let elements): elements.forEach(check)
            default: break
            }
        }
        check(document)
    }

    @Test("every path parameter is described, and every route but the pages needs a key")
    func descriptions() {
        for route in API.table.routes {
            #expect(route.path.text.hasPrefix("/v1/") == (route.access != .open), "\(route.name)")
            #expect(!route.summary.isEmpty)
            #expect(route.method == .get || route.access != .open, "\(route.name)")
        }
    }

    @Test("an operator may name the customer wherever one is needed")
    func operators() throws {
        for route in API.table.routes {
            guard case .customer = route.access else { continue }
            #expect(route.query.contains { $0.name == "customer_id" }, "\(route.name)")
            if route.method == .post { #expect(route.body?.contains { $0.name == "customer_id" } == true, "\(route.name)") }
        }
    }
}

@Suite("API: the query")
struct GatewayQueryTests {
    private let parameters: [Route.Parameter] = Route.paging + [.init("name", .text(.line(1...20))), .init("live", .boolean)]

    @Test("form encoding is undone")
    func decoding() throws {
        let query = try Query.parse("name=a%20b+c&limit=7&live=true", for: parameters).get()
        #expect(query["name"] == "a b c")
        #expect(query.integer("limit") == 7)
        #expect(query["live"] == "true")
        #expect(query["cursor"] == nil)
    }

    @Test("a mistake names its parameter", arguments: [
        ("limit=0", "limit out_of_range"), ("limit=x", "limit wrong_type"), ("colour=red", "colour unknown_parameter"),
        ("name=%zz", "name malformed"), ("name=%ff", "name malformed"), ("limit=1&limit=2", "limit repeated"),
        ("live=1", "live wrong_type"), ("name=", "name invalid_value"),
    ])
    func mistakes(text: String, expected: String) {
        guard case .failure(let problem) = Query.parse(text, for: parameters) else {
            Issue.record("\(text) passes")
            return
        }
        #expect(problem.status == 422)
        #expect(problem.errors.map { "\($0.parameter ?? "") \($0.code ?? "")" } == [expected])
    }
}
