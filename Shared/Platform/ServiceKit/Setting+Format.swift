internal import Addresses
internal import Bus
internal import Bytes
internal import Cache
internal import Logging

extension Setting {
    /// What the text of a setting has to look like: it is judged with all the others when the process starts, before anything is opened.
    public struct Format: Sendable {
        /// What is to be given instead, in words that follow «give».
        let expected: String
        let accepts: @Sendable (String) -> Bool

        public init(_ expected: String, accepts: @escaping @Sendable (String) -> Bool) {
            self.expected = expected
            self.accepts = accepts
        }
    }
}

extension Setting.Format {
    public static let ipAddress = Setting.Format("an IP address, for example 127.0.0.1") { IPAddress($0) != nil }

    public static let socketAddress = Setting.Format("ADDRESS:PORT, for example 127.0.0.1:9100 or [::1]:9100") { SocketAddress($0) != nil }

    static let logLevel = Setting.Format.choice(Logger.Level.allCases.map(\.rawValue))

    static let amqpURL = Setting.Format("amqp://user:password@host:port/vhost") { Bus.Settings(url: $0) != nil }

    static let redisURL = Setting.Format("redis://[:password@]host:port/number") { Cache.Settings(url: $0) != nil }

    public static let hexKey = Setting.Format("64 hexadecimal digits, made with `openssl rand -hex 32`") {
        Hexadecimal.decode($0.utf8)?.count == 32
    }

    public static let webURL = Setting.Format("an http or https address") { $0.hasPrefix("http://") || $0.hasPrefix("https://") }

    /// One of these words, as they are.
    public static func choice(_ words: [String]) -> Setting.Format {
        Setting.Format("one of " + words.joined(separator: ", ")) { words.contains($0) }
    }

    /// The same, or nothing at all.
    public var orEmpty: Setting.Format {
        let accepts = accepts
        return Setting.Format(expected + "; or nothing") { $0.isEmpty || accepts($0) }
    }

    /// Any number of them, as `Settings.list` takes them apart.
    public var list: Setting.Format {
        let accepts = accepts
        return Setting.Format(expected + "; several with commas between them") { Settings.words(of: $0).allSatisfy(accepts) }
    }
}
