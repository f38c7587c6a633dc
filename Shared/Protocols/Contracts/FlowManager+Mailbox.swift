/// What a customer has laid down for a mailbox (DESIGN §9). One without is there as well, from the first message on.
public struct Mailbox: Codable, Sendable, Equatable {
    public var id: String
    public var customerID: String
    /// The word by which flows call it; unique for the customer.
    public var name: String
    /// The PIN itself is nowhere.
    public var hasPIN: Bool
    /// Said, or played, where a flow gives no greeting.
    public var greetingText: String?
    public var greetingURLs: [String]
    public var maxMessages: Int?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: String, customerID: String, name: String, hasPIN: Bool, greetingText: String?, greetingURLs: [String], maxMessages: Int?, createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        (self.id, self.customerID, self.name, self.hasPIN) = (id, customerID, name, hasPIN)
        (self.greetingText, self.greetingURLs, self.maxMessages) = (greetingText, greetingURLs, maxMessages)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, name
        case customerID = "customer_id"
        case hasPIN = "has_pin"
        case greetingText = "greeting_text"
        case greetingURLs = "greeting_urls"
        case maxMessages = "max_messages"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// What is laid down, or changed: nil leaves it as it is, an empty text or 0 takes it back.
public struct MailboxRules: Codable, Sendable, Equatable {
    public var pin: String?
    public var greetingText: String?
    public var greetingURLs: [String]?
    public var maxMessages: Int?

    public init(pin: String? = nil, greetingText: String? = nil, greetingURLs: [String]? = nil, maxMessages: Int? = nil) {
        (self.pin, self.greetingText, self.greetingURLs, self.maxMessages) = (pin, greetingText, greetingURLs, maxMessages)
    }
}

/// `conflict` when there is one of that name.
public struct CreateMailbox: Command {
    public typealias Reply = Mailbox
    public static let name = "mailbox.create"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var name: String
    public var rules: MailboxRules

    public init(customerID: String, name: String, rules: MailboxRules) { (self.customerID, self.name, self.rules) = (customerID, name, rules) }
}

public struct GetMailbox: Command {
    public typealias Reply = Mailbox
    public static let name = "mailbox.get"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListMailboxes: Command {
    public typealias Reply = Page<Mailbox>
    public static let name = "mailbox.list"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var page: PageRequest
    public var name: String?

    public init(customerID: String, page: PageRequest, name: String? = nil) { (self.customerID, self.page, self.name) = (customerID, page, name) }
}

public struct UpdateMailbox: Command {
    public typealias Reply = Mailbox
    public static let name = "mailbox.update"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String
    public var rules: MailboxRules

    public init(customerID: String, id: String, rules: MailboxRules) { (self.customerID, self.id, self.rules) = (customerID, id, rules) }
}

/// What was laid down is gone; messages that lie there stay.
public struct DeleteMailbox: Command {
    public typealias Reply = Done
    public static let name = "mailbox.delete"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}
