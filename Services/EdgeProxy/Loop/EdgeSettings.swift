import Addresses
import Deadlines
import Glibc
import ServiceKit
import Streams

/// The settings of an edge, read once.
struct EdgeSettings: Sendable {
    static let declared: [Setting] = [
        Setting("TANDEM_SIP_LISTEN", default: "127.0.0.1:5060", "address:port for phones, UDP and TCP"),
        Setting("TANDEM_SIP_PUBLIC", default: "", "address:port that phones reach this edge at, when it listens on another"),
        Setting(
            "TANDEM_SIP_DOMAIN", default: "demo.localhost", "domain that is meant when a phone gives an address in its place"),
        Setting("TANDEM_EDGE_LOOPS", .integer(0...256), default: "0", "event loops; 0 takes one per processor"),
        Setting(
            "TANDEM_INSIDE_SIP_PORT", .integer(0...65_000), default: "0",
            "first inside port, one per loop; 0 takes the outside port plus 10000, so that flows outlive a restart"),
        Setting("TANDEM_NONCE_SECONDS", .integer(10...86_400), default: "300", "how long a digest challenge may be answered"),
        Setting(
            "TANDEM_LEGACY_AGENTS", default: "baresip v0,baresip v1,baresip v2,SIPp",
            "beginnings of the User-Agent of phones that fail unless MD5 is all they are offered, separated by commas"),
        Setting("TANDEM_ACCOUNT_SECONDS", .integer(1...3_600), default: "60", "how long an account's credentials are remembered"),
        Setting(
            "TANDEM_REFUSAL_MILLISECONDS", .integer(1...60_000), default: "1000",
            "how old knowledge of an account may be to refuse somebody by it"),
        Setting("TANDEM_ACCOUNTS_REMEMBERED", .integer(16...10_000_000), default: "100000", "accounts remembered per loop"),
        Setting(
            "TANDEM_PARKED_REQUESTS", .integer(1...1_000_000), default: "5000", "requests per loop that may wait for credentials"),
        Setting("TANDEM_TCP_CONNECTIONS", .integer(1...1_000_000), default: "4096", "connections per loop"),
        Setting("TANDEM_TCP_IDLE_SECONDS", .integer(10...86_400), default: "3900", "a silent connection is closed after"),
        Setting(
            "TANDEM_TCP_GREETING_SECONDS", .integer(1...3_600), default: "30",
            "a new connection without a message is closed after"),
        Setting(
            "TANDEM_RETRY_AFTER_SECONDS", .integer(1...3_600), default: "5", "how long clients nobody can serve are told to wait"),
    ]

    let listen: SocketAddress
    let reachable: SocketAddress
    let inside: IPAddress
    let insidePort: UInt16
    let domain: String
    let loops: Int
    let nonceLifetimeMilliseconds: Int64
    let legacyAgents: [String]
    let accountsRemembered: Int
    let accountLifetime: Interval
    let refusalAge: Interval
    let parkedRequests: Int
    let greeting: Interval
    let retryAfter: Int
    let streamLimits: StreamLimits

    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    init(_ settings: Settings) throws {
        guard let listen = SocketAddress(settings.text("TANDEM_SIP_LISTEN")), listen.port != 0 else {
            throw Mistake(description: "TANDEM_SIP_LISTEN must be ADDRESS:PORT, for example 127.0.0.1:5060")
        }
        guard let inside = IPAddress(settings.text("TANDEM_INSIDE_ADDRESS")) else {
            throw Mistake(description: "TANDEM_INSIDE_ADDRESS must be an address of this machine, for example 127.0.0.1")
        }
        (self.listen, self.inside) = (listen, inside)
        let given = settings.text("TANDEM_SIP_PUBLIC")
        if given.isEmpty {
            // An address that means «all of them» cannot be called back.
            reachable = listen.address == .anyIPv4 ? SocketAddress(inside, port: listen.port) : listen
        } else {
            guard let address = SocketAddress(given) else {
                throw Mistake(description: "TANDEM_SIP_PUBLIC must be ADDRESS:PORT or empty")
            }
            reachable = address
        }
        domain = settings.text("TANDEM_SIP_DOMAIN").lowercased()
        let loops = settings.integer("TANDEM_EDGE_LOOPS")
        self.loops = loops > 0 ? loops : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        insidePort = UInt16(settings.integer("TANDEM_INSIDE_SIP_PORT"))
        nonceLifetimeMilliseconds = Int64(settings.integer("TANDEM_NONCE_SECONDS")) * 1_000
        legacyAgents = settings.text("TANDEM_LEGACY_AGENTS").split(separator: ",").map(String.init)
        accountsRemembered = settings.integer("TANDEM_ACCOUNTS_REMEMBERED")
        accountLifetime = .seconds(settings.integer("TANDEM_ACCOUNT_SECONDS"))
        refusalAge = .milliseconds(settings.integer("TANDEM_REFUSAL_MILLISECONDS"))
        parkedRequests = settings.integer("TANDEM_PARKED_REQUESTS")
        greeting = .seconds(settings.integer("TANDEM_TCP_GREETING_SECONDS"))
        retryAfter = settings.integer("TANDEM_RETRY_AFTER_SECONDS")
        var limits = StreamLimits()
        limits.connections = settings.integer("TANDEM_TCP_CONNECTIONS")
        limits.idle = .seconds(settings.integer("TANDEM_TCP_IDLE_SECONDS"))
        streamLimits = limits
    }

    /// The port a loop's inside socket should have, so that tokens made before a restart still find it.
    func insidePort(ofLoop index: Int) -> UInt16? {
        let first = insidePort > 0 ? Int(insidePort) : Int(listen.port) + 10_000
        return UInt16(exactly: first + index)
    }
}
