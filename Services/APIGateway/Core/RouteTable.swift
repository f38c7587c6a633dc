/// All routes, found by method and path. The OpenAPI document is made from the same table, so the two cannot drift apart.
struct RouteTable: Sendable {
    let routes: [Route]

    init(_ routes: [Route]) {
        let names = routes.map { "\($0.method.rawValue) \($0.path.text)" } + routes.map(\.name)
        precondition(Set(names).count == names.count, "every operation has its own name and place")
        self.routes = routes
    }

    private static let head = "HEAD"

    enum Match {
        case found(Route, parameters: [String: String])
        /// The path exists, with these methods.
        case methodNotAllowed([String])
        case notFound
    }

    func match(method: String, path: some StringProtocol) -> Match {
        let segments = PathTemplate.split(path)
        // A HEAD is a GET whose body is left out (RFC 9110 §9.3.2).
        let wanted = method == Self.head ? Route.Method.get.rawValue : method
        var allowed: [String] = []
        for route in routes {
            guard let parameters = route.path.match(segments) else { continue }
            if route.method.rawValue == wanted { return .found(route, parameters: parameters) }
            allowed.append(route.method.rawValue)
            if route.method == .get { allowed.append(Self.head) }
        }
        return allowed.isEmpty ? .notFound : .methodNotAllowed(allowed)
    }
}
