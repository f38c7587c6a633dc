internal import Addresses
internal import Bytes
internal import ICE
internal import SRTP

extension MediaTransport {
    /// What a successor needs: how to find the other side, and the keys. A secret.
    public struct Record: Hashable, Sendable, Codable {
        let base: SocketAddress
        let agent: ICE.Snapshot?
        let isProtected: Bool
        let signalled: SocketAddress?
        let peer: SocketAddress?
        let masters: Masters
        /// The key we send under came in a description.
        let isSignalled: Bool
        let formerKeys: [FormerKey]

        struct FormerKey: Hashable, Sendable, Codable {
            let key: Masters.Key
            let used: Reservation
        }

        public var hasChecks: Bool { agent != nil }
    }

    /// The keys in use and how often those of each direction have changed: a position belongs to keys with the same number.
    struct Masters: Hashable, Sendable, Codable {
        struct Key: Hashable, Sendable, Codable {
            let suite: Suite
            let bytes: String

            init(_ master: MasterKey) { (suite, bytes) = (master.suite, Base64.encode(master.keyAndSalt)) }

            var master: MasterKey? { Base64.decode(bytes.utf8).flatMap { MasterKey(suite, keyAndSalt: $0) } }
        }

        private var sending: Key?
        private var receiving: Key?
        private(set) var sendingKey: UInt32 = 0
        private(set) var receivingKey: UInt32 = 0

        /// What the sending key had protected when it was put in: nothing, unless it had been there before.
        private var begun = Reservation()

        mutating func change(_ sending: MasterKey?, _ receiving: MasterKey?, begun: Reservation = Reservation()) {
            if let sending { (self.sending, sendingKey, self.begun) = (Key(sending), sendingKey &+ 1, begun) }
            if let receiving { (self.receiving, receivingKey) = (Key(receiving), receivingKey &+ 1) }
        }

        var sendingMaster: MasterKey? { sending?.master }

        mutating func forget() { (sending, receiving) = (nil, nil) }

        /// Keys are kept before they are used, so a position is that of these keys or of older ones, and then these begin. Of newer keys
        /// it can be when they could not be kept: these have then been used up to where nobody knows, and are not used again.
        func context(_ position: KeyPosition?) -> Context? {
            guard let sending = sending?.master, let receiving = receiving?.master else { return nil }
            guard let position else { return Context(sending: sending, receiving: receiving, sent: nil, begun: begun, received: nil) }
            guard position.sendingKey <= sendingKey, position.receivingKey <= receivingKey else { return nil }
            return Context(
                sending: sending, receiving: receiving, sent: position.sendingKey == sendingKey ? position.sources : nil, begun: begun,
                received: position.receivingKey == receivingKey ? position.sources : nil)
        }
    }

    /// Where the keys of both directions stand, as plain memory.
    public struct KeyPosition: BitwiseCopyable, Sendable {
        var sendingKey: UInt32 = 0
        var receivingKey: UInt32 = 0
        var sources = SRTP.Position()

        public init() {}

        /// Keys that are used up to nobody knows where: they are not used again.
        public static let unknown: KeyPosition = {
            var position = KeyPosition()
            (position.sendingKey, position.receivingKey) = (.max, .max)
            return position
        }()
    }
}
