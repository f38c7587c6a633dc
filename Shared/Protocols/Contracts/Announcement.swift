/// An instance says where it is and how busy, four times a second; silent for a second means dead (DESIGN §4).
public struct Announcement: Codable, Sendable, Equatable {
    public static let typePrefix = "instance.announced."

    public var service: ServiceName
    public var instance: String
    /// Changes when the process behind the instance name is a new one.
    public var incarnation: String
    /// What the instance can be reached at, by use: `sip` for its inside SIP address as `ADDRESS:PORT`.
    public var addresses: [String: String]
    public var pool: String
    /// 0 is idle, 1 is full; work is placed where it is lowest.
    public var load: Double
    /// Takes no new work.
    public var draining: Bool

    public init(
        service: ServiceName, instance: String, incarnation: String, addresses: [String: String] = [:], pool: String = "all",
        load: Double = 0, draining: Bool = false
    ) {
        (self.service, self.instance, self.incarnation) = (service, instance, incarnation)
        (self.addresses, self.pool, self.load, self.draining) = (addresses, pool, load, draining)
    }
}
