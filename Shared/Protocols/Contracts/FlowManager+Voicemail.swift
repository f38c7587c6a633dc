/// A message in a mailbox (DESIGN §9). Its sound is a recording.
public struct Voicemail: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable { case new, read }

    public var id: String
    public var customerID: String
    public var mailbox: String
    public var status: Status
    public var callID: String
    public var from: String
    public var recordingID: String
    public var durationMS: Int
    public var createdAt: Timestamp
    public var readAt: Timestamp?

    public init(
        id: String, customerID: String, mailbox: String, status: Status, callID: String, from: String, recordingID: String, durationMS: Int,
        createdAt: Timestamp, readAt: Timestamp?
    ) {
        (self.id, self.customerID, self.mailbox, self.status) = (id, customerID, mailbox, status)
        (self.callID, self.from, self.recordingID, self.durationMS) = (callID, from, recordingID, durationMS)
        (self.createdAt, self.readAt) = (createdAt, readAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, mailbox, status, from
        case customerID = "customer_id"
        case callID = "call_id"
        case recordingID = "recording_id"
        case durationMS = "duration_ms"
        case createdAt = "created_at"
        case readAt = "read_at"
    }
}

public struct GetVoicemail: Command {
    public typealias Reply = Voicemail
    public static let name = "voicemail.get"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListVoicemails: Command {
    public typealias Reply = Page<Voicemail>
    public static let name = "voicemail.list"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var page: PageRequest
    public var mailbox: String?
    public var status: Voicemail.Status?

    public init(customerID: String, page: PageRequest, mailbox: String? = nil, status: Voicemail.Status? = nil) {
        (self.customerID, self.page, self.mailbox, self.status) = (customerID, page, mailbox, status)
    }
}

/// Says that a message was read, or that it counts as new again; what is so already stays so.
public struct MarkVoicemail: Command {
    public typealias Reply = Voicemail
    public static let name = "voicemail.mark"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String
    public var status: Voicemail.Status

    public init(customerID: String, id: String, status: Voicemail.Status) {
        (self.customerID, self.id, self.status) = (customerID, id, status)
    }
}

/// Removes a message and its recording.
public struct DeleteVoicemail: Command {
    public typealias Reply = Done
    public static let name = "voicemail.delete"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}
