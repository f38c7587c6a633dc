internal import Contracts

/// The settings that every service has, and those of the servers it needs.
enum CommonSettings {
    static func declared(for service: ServiceName, needs: Set<Dependency>, mayStandAlone: Bool) -> [Setting] {
        let key = mayStandAlone ? Setting.Format.hexKey.orEmpty : Setting.Format.hexKey
        let exception = mayStandAlone ? "; empty only where this service works alone" : ""
        var settings = [
            Setting("TANDEM_INSTANCE", default: "", "name of this instance; unique in its service (default: service, host, process)"),
            Setting("TANDEM_LOG_LEVEL", as: .logLevel, default: "info", "trace, debug, info, notice, warning, error or critical"),
            Setting(
                "TANDEM_ADMIN_LISTEN", as: .socketAddress, default: "127.0.0.1:0", "address:port of /livez, /readyz, /healthz and /metrics"),
            Setting("TANDEM_INSIDE_ADDRESS", as: .ipAddress, default: "127.0.0.1", "address of this machine on the inside network"),
            Setting(
                "TANDEM_CLUSTER_KEY", .secret, as: key, default: mayStandAlone ? "" : nil,
                "64 hexadecimal digits, the same for all services: signs tokens, seals secrets\(exception)"),
            Setting("TANDEM_DRAIN_SECONDS", .integer(0...3_600), default: "5", "how long a stopping service may finish its work"),
        ]
        if needs.contains(.bus) {
            settings.append(Setting(
                "TANDEM_AMQP_URL", .secret, as: .amqpURL, default: "amqp://guest:guest@127.0.0.1:5672/", "the RabbitMQ broker"))
            settings.append(Setting(
                "TANDEM_EVENTS_TOGETHER", .integer(1...100), default: "100",
                "events in one message to RabbitMQ; 1 while instances run that are older than this setting"))
        }
        if needs.contains(.database) {
            settings.append(Setting(
                "TANDEM_DATABASE_URL", .secret, default: "postgresql://127.0.0.1:5432/tandem", "the PostgreSQL database"))
            settings.append(Setting(
                "TANDEM_DATABASE_CONNECTIONS", .integer(1...64), default: "4", "connections to PostgreSQL"))
        }
        if needs.contains(.cache) || needs.contains(.cacheAside) {
            settings.append(Setting(
                "TANDEM_REDIS_URL", .secret, as: .redisURL, default: "redis://127.0.0.1:6379/0", "the Redis server"))
        }
        return settings
    }
}

/// What a service works with.
public enum Dependency: Sendable, Hashable {
    case bus, database, cache
    /// Redis for what it is better with: it starts and is ready without, and `Runtime.cache` refuses while Redis is away.
    case cacheAside
    /// The table of living instances, for whoever places work; kept over the bus.
    case fleet
}
