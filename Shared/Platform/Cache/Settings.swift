internal import FoundationEssentials

extension Cache {
    /// Where Redis is.
    public struct Settings: Sendable {
        public var host: String
        public var port: UInt16
        public var password: String?
        public var database: Int

        public init(host: String = "127.0.0.1", port: UInt16 = 6379, password: String? = nil, database: Int = 0) {
            (self.host, self.port, self.password, self.database) = (host, port, password, database)
        }

        /// Reads `redis://:password@host:port/0`; every part but the host may be missing. Nil for another scheme.
        public init?(url: String) {
            guard let parts = URLComponents(string: url), parts.scheme == "redis", let host = parts.host, !host.isEmpty,
                let port = UInt16(exactly: parts.port ?? 6379)
            else { return nil }
            let path = parts.path.dropFirst()
            guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else { return nil }
            self.init(
                host: host, port: port, password: parts.password.flatMap { $0.isEmpty ? nil : $0 }, database: database)
        }

        var address: String { "\(host):\(port)" }
    }
}
