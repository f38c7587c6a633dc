/// What keeper and workers tell each other: one byte, a key with its length, and bytes that the keeper never looks into. Descriptors
/// travel beside it.
public struct KeeperMessage: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// Kept as long as there is a keeper; what begins work needs it.
        case fixture = 1
        /// Kept, and work that must go on when its worker dies.
        case work = 2
        /// Not kept any more.
        case remove = 3
        /// To a worker: that was all that is kept.
        case caughtUp = 4
        /// To a worker: its turn has come.
        case go = 5
        /// From a worker: it serves.
        case serving = 6
        /// Both ways: alive.
        case ping = 7
        case pong = 8
        /// From a worker whose keeper died, to the new one: its instance.
        case hello = 9
    }

    var kind: Kind
    var key = ""
    var bytes: [UInt8] = []

    init(_ kind: Kind, _ key: String = "", _ bytes: [UInt8] = []) { (self.kind, self.key, self.bytes) = (kind, key, bytes) }

    /// Nil for what is none of ours.
    init?(parsing message: [UInt8]) {
        guard message.count >= 3, let kind = Kind(rawValue: message[0]) else { return nil }
        let length = Int(message[1]) << 8 | Int(message[2])
        guard message.count >= 3 + length, let key = String(validating: message[3..<3 + length], as: UTF8.self) else { return nil }
        self.init(kind, key, Array(message[(3 + length)...]))
    }

    /// Nil when the key is too long.
    var encoded: [UInt8]? {
        let name = Array(key.utf8)
        guard name.count <= 0xffff else { return nil }
        return [kind.rawValue, UInt8(name.count >> 8), UInt8(truncatingIfNeeded: name.count)] + name + bytes
    }
}
