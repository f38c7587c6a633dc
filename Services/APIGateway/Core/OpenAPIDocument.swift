import Flow

/// The OpenAPI 3.1 document of a table of routes.
enum OpenAPIDocument {
    static func make(of table: RouteTable, version: String) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in table.routes {
            paths[route.path.text, default: [:]][route.method.rawValue.lowercased()] = operation(route)
        }
        var schemas = Dictionary(uniqueKeysWithValues: ResourceSchema.all.map { ($0.name, Schema.object($0.fields).document) })
        schemas["Action"] = action
        schemas["Problem"] = problem
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Tandem", "version": .string(version),
                "description": .string(
                    "Phones, flows and conferences. Ids are prefixed and sortable, times RFC 3339 in UTC, "
                        + "errors RFC 9457 problems with a stable `code`."),
            ],
            "servers": [["url": "/"]],
            "security": [["key": []]],
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["key": ["type": "http", "scheme": "bearer", "description": "A key `tk_...` of /v1/keys."]],
                "responses": [
                    "Problem": [
                        "description": "Refused: an RFC 9457 problem.",
                        "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
                    ]
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .string(route.name), "summary": .string(route.summary), "tags": [.string(tag(route))],
            "parameters": .array(parameters(route)), "responses": responses(route),
        ]
        if let fields = route.body {
            members["requestBody"] = [
                "required": .bool(fields.contains(where: \.isRequired)),
                "content": ["application/json": ["schema": body(fields)]],
            ]
        }
        switch route.access {
        case .open: members["security"] = []
        case .customer(let scope), .anyone(let scope): members["x-scope"] = .string(scope.name)
        case .operatorOnly: members["x-scope"] = "operator"
        }
        return .object(members)
    }

    /// What the gateway refuses it also describes: no other member.
    private static func body(_ fields: [Schema.Field]) -> JSONValue {
        var described = Schema.object(fields).document.object ?? [:]
        described["additionalProperties"] = false
        return .object(described)
    }

    private static func tag(_ route: Route) -> String {
        let segments = PathTemplate.split(route.path.text)
        guard segments.count > 1 else { return "pages" }
        return segments.contains("participants") ? "participants" : segments[1]
    }

    private static func parameters(_ route: Route) -> [JSONValue] {
        var all = route.path.parameters.map { name -> JSONValue in
            ["name": .string(name), "in": "path", "required": true, "schema": Schema.text(.identifier).document]
        }
        all += route.query.map { parameter in
            [
                "name": .string(parameter.name), "in": "query", "description": .string(parameter.note),
                "schema": parameter.schema.document,
            ]
        }
        if route.method == .post {
            all.append([
                "name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 255],
                "description": "The same key with the same request gives the same answer and is performed once.",
            ])
        }
        return all
    }

    private static func responses(_ route: Route) -> JSONValue {
        func json(_ description: String, _ schema: Schema) -> JSONValue {
            ["description": .string(description), "content": ["application/json": ["schema": schema.document]]]
        }
        var responses: [String: JSONValue] = [:]
        switch route.answer {
        case .resource(let schema): responses["200"] = json("The resource", schema)
        case .created(let schema): responses["201"] = json("Created; `Location` names it", schema)
        case .page(let element):
            responses["200"] = json("A page", .object([
                .required("data", .list(of: element, count: 0...500)),
                .required("next_cursor", .nullable(.text(.line(1...512))), "Null on the last page."),
            ]))
        case .nothing: responses["204"] = ["description": "Done"]
        case .document(let type): responses["200"] = ["description": "The document", "content": .object([type: [:]])]
        case .webSocket: responses["101"] = ["description": "A WebSocket; each text message is one Event"]
        }
        if route.access != .open { responses["default"] = ["$ref": "#/components/responses/Problem"] }
        return .object(responses)
    }

    private static let action: JSONValue = [
        "type": "object", "required": ["type"], "additionalProperties": false,
        "description": "One step of a flow. Strings in `option` may hold `${variables}`.",
        "properties": [
            "id": ["type": "string", "maxLength": 64, "description": "Made when it is missing."],
            "type": ["type": "string", "enum": .array(ActionType.allCases.map { .string($0.rawValue) })],
            "option": ["type": "object"],
            "next_id": ["type": ["string", "null"], "description": "What follows instead of the next in the list."],
        ],
    ]

    private static let problem: JSONValue = [
        "type": "object", "required": ["type", "title", "status", "detail", "code"],
        "properties": [
            "type": ["type": "string", "format": "uri"], "title": ["type": "string"], "status": ["type": "integer"],
            "detail": ["type": "string"], "code": ["type": "string", "description": "For programs: never changes."],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["detail"],
                    "properties": [
                        "pointer": ["type": "string", "description": "RFC 6901: where in the body."],
                        "parameter": ["type": "string", "description": "Which query parameter."],
                        "code": ["type": "string"], "detail": ["type": "string"],
                    ],
                ],
            ],
        ],
    ]
}
