/// Whoever holds a valid key.
struct Principal: Sendable, Equatable {
    var keyID: String
    /// Nil for an operator, who acts for any customer.
    var customerID: String?
    var scopes: ScopeSet
    var isSuspended = false

    var isOperator: Bool { customerID == nil }

    static let operatorKey = Principal(keyID: "operator", customerID: nil, scopes: .all)
}
