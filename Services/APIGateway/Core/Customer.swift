import Contracts

/// Whoever rents the platform: everything else belongs to one (DESIGN §11).
struct Customer: Codable, Sendable, Equatable {
    var id: String
    var name: String
    var domain: String
    var status: CustomerStatus
    var createdAt: Timestamp
    var updatedAt: Timestamp

    enum CodingKeys: String, CodingKey {
        case id, name, domain, status
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// Whether a customer may use the platform.
enum CustomerStatus: String, Codable, Sendable, CaseIterable { case active, suspended }
