import Bytes
import Contracts

/// Where the next page of one of our own collections begins: opaque to customers, so that its meaning may change.
struct PageCursor: Sendable, Equatable {
    enum Kind: String, Sendable {
        /// Older than the resource with this id: collections, newest first.
        case before = "b"
        /// Behind the one with this id: who sits in a conference, in the order of their ids.
        case behind = "i"
        /// Events up to this number are known: the log, oldest first.
        case after = "a"
        /// Events older than this number: the log, newest first.
        case older = "o"
    }

    let kind: Kind
    let value: String

    init(_ kind: Kind, _ value: String) { (self.kind, self.value) = (kind, value) }

    init(after event: Int64) { self.init(.after, String(event)) }

    var text: String { Base64.encode(Array("1\(kind.rawValue)\(value)".utf8), .urlSafe) }

    init?(_ text: String) {
        guard text.utf8.count <= 128, let bytes = Base64.decode(text.utf8, .urlSafe), bytes.count > 2, bytes[0] == UInt8(ascii: "1"),
            let decoded = String(validating: bytes.dropFirst(2), as: UTF8.self),
            let kind = Kind(rawValue: String(UnicodeScalar(bytes[1])))
        else { return nil }
        self.init(kind, decoded)
    }

    /// The number of an event, for the kinds that carry one.
    var event: Int64? { [.after, .older].contains(kind) ? Int64(value).flatMap { $0 >= 0 ? $0 : nil } : nil }
}
