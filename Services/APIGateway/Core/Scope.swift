/// What a key allows: `<resource>:read`, `<resource>:write` (which includes read), `*:read`, or `*` for everything of its customer.
struct Scope: Sendable, Hashable {
    enum Access: String, Sendable { case read, write }

    let resource: String
    let access: Access

    static func read(_ resource: String) -> Scope { Scope(resource: resource, access: .read) }
    static func write(_ resource: String) -> Scope { Scope(resource: resource, access: .write) }

    var name: String { "\(resource):\(access.rawValue)" }

    static let resources = [
        "customers", "keys", "extensions", "flows", "runs", "calls", "conferences", "participants", "recordings", "voicemails", "events", "limits",
    ]

    /// All names that may be given to a key.
    static let names = ["*", "*:read"] + resources.flatMap { [Scope.read($0).name, Scope.write($0).name] }
}

/// The scopes a key was given.
struct ScopeSet: Sendable, Equatable {
    let names: Set<String>

    init(_ names: some Sequence<String>) { self.names = Set(names) }

    static let all = ScopeSet(["*"])

    func allows(_ scope: Scope) -> Bool {
        if names.contains("*") || names.contains("\(scope.resource):write") { return true }
        return scope.access == .read && (names.contains("*:read") || names.contains("\(scope.resource):read"))
    }

    /// Whether a key with these scopes may give another key this one: never more than it has itself.
    func covers(_ name: String) -> Bool {
        switch name {
        case "*": return names.contains("*")
        case "*:read": return names.contains("*") || names.contains("*:read")
        default:
            let parts = name.split(separator: ":").map(String.init)
            guard parts.count == 2, let access = Scope.Access(rawValue: parts[1]) else { return false }
            return allows(Scope(resource: parts[0], access: access))
        }
    }
}
