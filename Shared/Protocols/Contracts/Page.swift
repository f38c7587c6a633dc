/// Which part of a collection is wanted: newest first, `cursor` as the page before gave it.
public struct PageRequest: Codable, Sendable, Equatable {
    public static let defaultLimit = 50
    public static let largestLimit = 500

    public var limit: Int
    public var cursor: String?

    public init(limit: Int = PageRequest.defaultLimit, cursor: String? = nil) {
        (self.limit, self.cursor) = (min(max(limit, 1), Self.largestLimit), cursor)
    }
}

/// One page of a collection as the API shows it (DESIGN §9).
public struct Page<Element: Codable & Sendable>: Codable, Sendable {
    public var data: [Element]
    /// Null on the last page.
    public var nextCursor: String?

    public init(data: [Element], nextCursor: String? = nil) { (self.data, self.nextCursor) = (data, nextCursor) }

    private enum CodingKeys: String, CodingKey {
        case data
        case nextCursor = "next_cursor"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(nextCursor, forKey: .nextCursor)
    }
}
