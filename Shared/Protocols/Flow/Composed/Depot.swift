/// What a run wants of that which is kept for its customer beyond it: messages in mailboxes, slots of parking lots, calls of their own. Whoever runs flows does it before the
/// run's next place is stored, perhaps twice: twice must be once.
public enum DepotRequest: Sendable, Hashable {
    /// Puts a recording into a mailbox; one recording is one message.
    case deposit(mailbox: String, recordingID: String, milliseconds: Int, callID: String, from: String)
    /// What lies in a mailbox: the new ones first, each the oldest first, at most so many.
    case open(mailbox: String, limit: Int)
    /// Whether a mailbox is open, or that PIN opens it.
    case unlock(mailbox: String, pin: String?)
    /// What a mailbox says where the flow says nothing.
    case greeting(mailbox: String)
    case mark(id: String, Message.Status)
    case delete(id: String)
    /// Gives a call a slot of a lot: that one, or the lowest free one.
    case park(lot: String, slot: String?, first: Int, last: Int, callID: String, timeout: Int)
    case unpark(callID: String)
    /// Which call waits in a slot; it is this one's from then on.
    case retrieve(lot: String, slot: String, by: String)
    case call(CallRequest)

    public struct Message: Sendable, Hashable {
        public enum Status: String, Sendable, Hashable, Codable, CaseIterable { case new, read }

        public var id: String
        public var recordingID: String
        public var status: Status

        public init(id: String, recordingID: String, status: Status) { (self.id, self.recordingID, self.status) = (id, recordingID, status) }
    }
}

/// What came of it.
public enum DepotReply: Sendable, Hashable {
    /// The id of the message.
    case deposited(id: String)
    case opened([DepotRequest.Message])
    case greeting(text: String?, urls: [String])
    case parked(slot: String)
    case found(callID: String)
    case called(id: String)
    case done
    /// Not done, and why.
    case refused(String)
}

extension DepotRequest {
    var json: JSONValue {
        switch self {
        case .deposit(let mailbox, let recordingID, let milliseconds, let callID, let from):
            [
                "do": "deposit", "mailbox": .string(mailbox), "recording": .string(recordingID), "milliseconds": .integer(Int64(milliseconds)),
                "call": .string(callID), "from": .string(from),
            ]
        case .open(let mailbox, let limit): ["do": "open", "mailbox": .string(mailbox), "limit": .integer(Int64(limit))]
        case .unlock(let mailbox, let pin):
            // What was pressed is kept nowhere: whoever goes on with the run asks anew.
            ["do": "unlock", "mailbox": .string(mailbox), "pin": .string(pin == nil ? "" : "?")]
        case .greeting(let mailbox): ["do": "greeting", "mailbox": .string(mailbox)]
        case .mark(let id, let status): ["do": "mark", "id": .string(id), "status": .string(status.rawValue)]
        case .park(let lot, let slot, let first, let last, let callID, let timeout):
            [
                "do": "park", "lot": .string(lot), "slot": slot.map(JSONValue.string) ?? .null, "first": .integer(Int64(first)),
                "last": .integer(Int64(last)), "call": .string(callID), "timeout": .integer(Int64(timeout)),
            ]
        case .unpark(let callID): ["do": "unpark", "call": .string(callID)]
        case .retrieve(let lot, let slot, let by): ["do": "retrieve", "lot": .string(lot), "slot": .string(slot), "by": .string(by)]
        case .delete(let id): ["do": "delete", "id": .string(id)]
        case .call(let order): ["do": "call", "call": order.json]
        }
    }

    init?(json: JSONValue) {
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        func number(_ name: String) -> Int { Int(clamping: json[name]?.integer ?? 0) }
        switch json["do"]?.string {
        case "deposit":
            self = .deposit(
                mailbox: text("mailbox"), recordingID: text("recording"), milliseconds: number("milliseconds"), callID: text("call"),
                from: text("from"))
        case "open": self = .open(mailbox: text("mailbox"), limit: number("limit"))
        case "unlock": self = .unlock(mailbox: text("mailbox"), pin: text("pin").isEmpty ? nil : text("pin"))
        case "greeting": self = .greeting(mailbox: text("mailbox"))
        case "mark":
            guard let status = Message.Status(rawValue: text("status")) else { return nil }
            self = .mark(id: text("id"), status)
        case "park":
            self = .park(
                lot: text("lot"), slot: json["slot"]?.string, first: number("first"), last: number("last"), callID: text("call"),
                timeout: number("timeout"))
        case "unpark": self = .unpark(callID: text("call"))
        case "retrieve": self = .retrieve(lot: text("lot"), slot: text("slot"), by: text("by"))
        case "delete": self = .delete(id: text("id"))
        case "call":
            guard let order = json["call"].flatMap(CallRequest.init(json:)) else { return nil }
            self = .call(order)
        default: return nil
        }
    }
}
