internal import FoundationEssentials

extension Bus {
    /// Where RabbitMQ is and who we are there.
    public struct Settings: Sendable {
        public var host: String
        public var port: UInt16
        public var user: String
        public var password: String
        public var virtualHost: String
        /// Of events that leave together at most so many are one message; 1: each is its own, which readers of older versions want.
        public var eventsTogether = EventBatch.mostEvents

        public init(
            host: String = "127.0.0.1", port: UInt16 = 5672, user: String = "guest", password: String = "guest",
            virtualHost: String = "/"
        ) {
            (self.host, self.port, self.user) = (host, port, user)
            (self.password, self.virtualHost) = (password, virtualHost)
        }

        /// Reads `amqp://user:password@host:port/vhost`; every part but the host may be missing. Nil for another scheme.
        public init?(url: String) {
            guard let parts = URLComponents(string: url), parts.scheme == "amqp", let host = parts.host, !host.isEmpty,
                let port = UInt16(exactly: parts.port ?? 5672)
            else { return nil }
            let path = parts.path.dropFirst()
            self.init(
                host: host, port: port, user: parts.user ?? "guest", password: parts.password ?? "guest",
                virtualHost: path.isEmpty ? "/" : String(path))
        }

        var address: String { "\(host):\(port)" }
    }
}
