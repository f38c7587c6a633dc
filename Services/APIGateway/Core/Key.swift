import Contracts

/// A key as it is shown: its secret is not in it, and nowhere else.
struct Key: Codable, Sendable, Equatable {
    var id: String
    var customerID: String
    var name: String
    var scopes: [String]
    var expiresAt: Timestamp?
    var createdAt: Timestamp

    enum CodingKeys: String, CodingKey {
        case id, name, scopes
        case customerID = "customer_id"
        case expiresAt = "expires_at"
        case createdAt = "created_at"
    }
}
