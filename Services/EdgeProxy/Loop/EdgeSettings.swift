import Addresses
import Deadlines
import Glibc
import SIP
import ServiceKit
import Streams
import TLS
import Threads

/// The settings of an edge, read once.
struct EdgeSettings: Sendable {
    static let declared = own + AdmissionSettings.declared + InsideStreams.declared

    private static let own: [Setting] = [
        Setting(
            "TANDEM_SIP_LISTEN", as: .socketAddress.list, default: "127.0.0.1:5060",
            "address:port for phones, UDP and TCP; one IPv4 and one IPv6, separated by a comma"),
        Setting(
            "TANDEM_SIP_PUBLIC", as: .socketAddress.list, default: "",
            "address:port that phones reach this edge at, when it listens on another; one for each family"),
        Setting("TANDEM_TLS_LISTEN", as: .socketAddress.list, default: "", "the same for phones over TLS; empty: none"),
        Setting("TANDEM_WS_LISTEN", as: .socketAddress.list, default: "", "the same for phones over WebSocket (RFC 7118); empty: none"),
        Setting("TANDEM_WSS_LISTEN", as: .socketAddress.list, default: "", "the same for phones over WebSocket and TLS; empty: none"),
        Setting(
            "TANDEM_TLS_CERTIFICATE", default: "",
            "PEM file with the certificate and its chain, leaf first; several, separated by commas, are chosen from by the name a "
                + "client asks for; read again when they change, and on SIGHUP"),
        Setting("TANDEM_TLS_KEY", default: "", "PEM file with the key of the certificate; as many as there are certificates"),
        Setting(
            "TANDEM_TLS_CLIENT_CA", default: "", "PEM file with the authorities for certificates of clients; empty: none is asked for"),
        Setting("TANDEM_TLS_CLIENT_REQUIRED", .flag, default: "false", "whether a client without a certificate is turned away"),
        Setting(
            "TANDEM_WS_ORIGINS", default: "", "web pages whose browsers may connect, like https://phone.example.com; empty: all"),
        Setting(
            "TANDEM_WS_PING_SECONDS", .integer(1...3_600), default: "30",
            "how often a WebSocket is pinged; one that is silent until the next ping is closed"),
        Setting(
            "TANDEM_SIP_DOMAIN", default: "demo.localhost", "domain that is meant when a phone gives an address in its place"),
        Setting("TANDEM_EDGE_LOOPS", .integer(0...256), default: "0", "event loops; 0 takes one per processor"),
        Setting(
            "TANDEM_INSIDE_SIP_PORT", .integer(0...65_000), default: "0",
            "first inside port, one per loop; 0 takes the outside port plus 10000, so that flows outlive a restart"),
        Setting(
            "TANDEM_EDGE_GATHER_MICROSECONDS", .integer(0...100_000), default: "2000",
            "under load, how long messages may wait to be read together with the next ones; 0: not at all"),
        Setting(
            "TANDEM_EDGE_GATHER_RATE", .integer(0...10_000_000), default: "4000",
            "messages a second above which a loop is under load in this sense"),
        Setting(
            "TANDEM_SIP_DATAGRAM_BYTES", .integer(200...65_535), default: "1300",
            "longer messages go to the servers inside over TCP, those that take it (RFC 3261 §18.1.1)"),
        Setting("TANDEM_NONCE_SECONDS", .integer(10...86_400), default: "300", "how long a digest challenge may be answered"),
        Setting(
            "TANDEM_NONCES_REMEMBERED", .integer(4...16_777_216), default: "65536",
            "challenges whose answers are remembered, so that none is used twice; 144 bytes each"),
        Setting(
            "TANDEM_LEGACY_AGENTS", default: "baresip v0,baresip v1,baresip v2,SIPp,sipsak 0",
            "beginnings of the User-Agent of phones that fail unless MD5 is all they are offered, separated by commas"),
        Setting("TANDEM_ACCOUNT_SECONDS", .integer(1...3_600), default: "60", "how long an account's credentials are remembered"),
        Setting(
            "TANDEM_REFUSAL_MILLISECONDS", .integer(1...60_000), default: "1000",
            "how old knowledge of an account may be to refuse somebody by it"),
        Setting("TANDEM_ACCOUNTS_REMEMBERED", .integer(16...10_000_000), default: "100000", "accounts remembered per loop"),
        Setting(
            "TANDEM_PARKED_REQUESTS", .integer(1...1_000_000), default: "5000", "requests per loop that may wait for credentials or a domain"),
        Setting("TANDEM_PARKED_BYTES", .integer(65_536...1_000_000_000), default: "16777216", "the same in bytes"),
        Setting(
            "TANDEM_RECENT_DIALOGS", .integer(64...16_777_216), default: "65536",
            "calls per loop whose INVITE is remembered for half a minute: that it was let in, and its way; 48 bytes each"),
        Setting(
            "TANDEM_TRUNKS", default: "",
            "file with the trunks, a JSON array as docs/trunks.md tells, read again when it changes; or the array itself"),
        Setting("TANDEM_TCP_CONNECTIONS", .integer(1...1_000_000), default: "20000", "connections per port and loop"),
        Setting(
            "TANDEM_TCP_HEADER_SECONDS", .integer(1...3_600), default: "8",
            "a connection is closed that takes longer over a TLS or WebSocket handshake or the headers of a message"),
        Setting(
            "TANDEM_TCP_MESSAGE_SECONDS", .integer(1...3_600), default: "25", "... or over the rest of a message"),
        Setting("TANDEM_TCP_IDLE_SECONDS", .integer(10...86_400), default: "3900", "a silent connection is closed after"),
        Setting(
            "TANDEM_TCP_GREETING_SECONDS", .integer(1...3_600), default: "30",
            "a new connection without a message is closed after"),
        Setting(
            "TANDEM_FLOW_TIMER_SECONDS", .integer(10...3_600), default: "120",
            "how often a phone that uses outbound (RFC 5626) is to be heard of; over UDP at least every 30 seconds"),
        Setting(
            "TANDEM_KEPT_REQUESTS", .integer(0...1_000_000), default: "10000",
            "requests over connections, per loop, that are sent again until their first response; 0: none"),
        Setting("TANDEM_KEPT_BYTES", .integer(0...1_000_000_000), default: "16777216", "the same in bytes"),
        Setting(
            "TANDEM_RETRY_AFTER_SECONDS", .integer(1...3_600), default: "5", "how long clients nobody can serve are told to wait at least; each is told another time, up to six times that"),
        Setting(
            "TANDEM_CALL_SERVERS", default: "",
            "host:port of SIP servers, separated by commas: the edge works alone in front of them, without broker and accounts"),
        Setting(
            "TANDEM_HEP", default: "",
            "host:port of a capture server (Homer, HEP version 3, UDP) that gets a copy of every message; empty: none"),
        Setting("TANDEM_HEP_ID", .integer(0...4_294_967_295), default: "1", "the number of this edge among those that capture"),
        Setting("TANDEM_HEP_PASSWORD", .secret, default: "", "what the capture server knows its sources by"),
        Setting("TANDEM_TRUSTED", as: AddressRange.setting.list, default: "", "addresses and ranges like 10.0.0.0/8 that an edge alone takes requests from"),
        Setting(
            "TANDEM_CALL_SERVER_PING_MILLISECONDS", .integer(20...60_000), default: "250",
            "how often an edge alone asks its servers whether they are there; three answers missing is death"),
    ]

    /// Of each family one at most.
    let listen: [SocketAddress]
    let outside: OutsideAddresses
    let streams: [StreamPort]
    let certificate: CertificateFiles?
    let webSocketOrigins: Set<String>
    let webSocketPing: Interval
    let inside: IPAddress
    let insidePort: UInt16
    let longestDatagram: Int
    let insideStreams: InsideStreams
    let domain: String
    let loops: Int
    let moderation: WakeupModeration
    let nonceLifetimeMilliseconds: Int64
    let noncesRemembered: Int
    let admission: AdmissionSettings
    let legacyAgents: [String]
    let accountsRemembered: Int
    let accountLifetime: Interval
    let refusalAge: Interval
    let parking: Parking.Limits
    let recentDialogs: Int
    let greeting: Interval
    let headerTime: Interval
    let messageTime: Interval
    let retryAfter: RetryAfter
    let flowTimer: Int
    let keptRequests: KeptRequests.Limits
    let streamLimits: StreamLimits
    /// What is known of the fixed list of servers, for an edge without a suite behind it.
    let alone: ProxyCore.Alone?
    let trunks: TrunkSource
    let serverPing: Interval
    let capture: MessageCapture.Settings?

    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    /// What is wrong with them together, and with the files that they name.
    static func check(_ settings: Settings) throws {
        _ = try EdgeSettings(settings).certificate?.load()
    }

    init(_ settings: Settings) throws {
        let inside = settings.ipAddress("TANDEM_INSIDE_ADDRESS")
        let listen = try Self.addresses("TANDEM_SIP_LISTEN", settings)
        let streams = try Self.streams(settings, plain: listen)
        (self.listen, self.streams, self.inside) = (listen, streams, inside)
        outside = try Self.outside(settings, listen: listen, streams: streams, inside: inside)
        certificate = try Self.certificate(settings, for: streams)
        webSocketOrigins = Set(settings.list("TANDEM_WS_ORIGINS"))
        webSocketPing = .seconds(settings.integer("TANDEM_WS_PING_SECONDS"))
        domain = settings.text("TANDEM_SIP_DOMAIN").lowercased()
        let loops = settings.integer("TANDEM_EDGE_LOOPS")
        self.loops = loops > 0 ? loops : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        longestDatagram = settings.integer("TANDEM_SIP_DATAGRAM_BYTES")
        insideStreams = try InsideStreams(settings)
        insidePort = UInt16(settings.integer("TANDEM_INSIDE_SIP_PORT"))
        moderation = WakeupModeration(
            interval: .microseconds(settings.integer("TANDEM_EDGE_GATHER_MICROSECONDS")),
            above: settings.integer("TANDEM_EDGE_GATHER_RATE"))
        nonceLifetimeMilliseconds = Int64(settings.integer("TANDEM_NONCE_SECONDS")) * 1_000
        noncesRemembered = settings.integer("TANDEM_NONCES_REMEMBERED")
        legacyAgents = settings.text("TANDEM_LEGACY_AGENTS").split(separator: ",").map(String.init)
        accountsRemembered = settings.integer("TANDEM_ACCOUNTS_REMEMBERED")
        accountLifetime = .seconds(settings.integer("TANDEM_ACCOUNT_SECONDS"))
        refusalAge = .milliseconds(settings.integer("TANDEM_REFUSAL_MILLISECONDS"))
        parking = Parking.Limits(
            count: settings.integer("TANDEM_PARKED_REQUESTS"), bytes: settings.integer("TANDEM_PARKED_BYTES"))
        recentDialogs = settings.integer("TANDEM_RECENT_DIALOGS")
        greeting = .seconds(settings.integer("TANDEM_TCP_GREETING_SECONDS"))
        headerTime = .seconds(settings.integer("TANDEM_TCP_HEADER_SECONDS"))
        messageTime = .seconds(settings.integer("TANDEM_TCP_MESSAGE_SECONDS"))
        retryAfter = RetryAfter(shortest: settings.integer("TANDEM_RETRY_AFTER_SECONDS"))
        flowTimer = settings.integer("TANDEM_FLOW_TIMER_SECONDS")
        keptRequests = KeptRequests.Limits(
            count: settings.integer("TANDEM_KEPT_REQUESTS"), bytes: settings.integer("TANDEM_KEPT_BYTES"))
        alone = try Self.alone(settings, inside: inside)
        var admission = try AdmissionSettings(settings, inside: inside, trusted: alone?.trusted ?? [])
        admission.calls = recentDialogs
        self.admission = admission
        trunks = try TrunkSource(settings.text("TANDEM_TRUNKS"), domain: domain)
        guard alone == nil || trunks.current.isEmpty else {
            throw Mistake(description: "TANDEM_TRUNKS is for the edge of a suite: an edge alone has TANDEM_TRUSTED")
        }
        serverPing = .milliseconds(settings.integer("TANDEM_CALL_SERVER_PING_MILLISECONDS"))
        capture = try Self.capture(settings)
        var limits = StreamLimits()
        limits.connections = settings.integer("TANDEM_TCP_CONNECTIONS")
        limits.idle = .seconds(settings.integer("TANDEM_TCP_IDLE_SECONDS"))
        streamLimits = limits
    }

    static func standsAlone(_ settings: Settings) -> Bool { !settings.list("TANDEM_CALL_SERVERS").isEmpty }

    private static func alone(_ settings: Settings, inside: IPAddress) throws -> ProxyCore.Alone? {
        let ranges = try settings.list("TANDEM_TRUSTED").map { text in
            guard let range = AddressRange(text) else {
                throw Mistake(description: "TANDEM_TRUSTED has '\(text)': give addresses or ranges like 10.0.0.0/8")
            }
            return range
        }
        guard standsAlone(settings) else {
            guard ranges.isEmpty else {
                throw Mistake(description: "TANDEM_TRUSTED is for an edge alone: set TANDEM_CALL_SERVERS too, or remove it")
            }
            return nil
        }
        let servers = try settings.list("TANDEM_CALL_SERVERS").flatMap { name in
            try ServerNames.addresses(of: name, setting: "TANDEM_CALL_SERVERS", reachedFrom: inside)
        }
        return ProxyCore.Alone(trusted: ranges, servers: servers)
    }

    private static func capture(_ settings: Settings) throws -> MessageCapture.Settings? {
        let server = settings.text("TANDEM_HEP")
        guard !server.isEmpty, let address = try ServerNames.addresses(of: server, setting: "TANDEM_HEP").first else { return nil }
        return MessageCapture.Settings(
            server: address, id: UInt32(clamping: settings.integer("TANDEM_HEP_ID")),
            node: Array(settings.text("TANDEM_INSTANCE").utf8), password: Array(settings.text("TANDEM_HEP_PASSWORD").utf8))
    }

    private static func certificate(_ settings: Settings, for streams: [StreamPort]) throws -> CertificateFiles? {
        guard let secure = streams.first(where: { $0.transport == .tls || $0.transport == .wss }) else { return nil }
        let (certificates, keys) = (settings.list("TANDEM_TLS_CERTIFICATE"), settings.list("TANDEM_TLS_KEY"))
        guard !certificates.isEmpty, !keys.isEmpty else {
            throw Mistake(description: "\(secure.setting) wants a certificate: set TANDEM_TLS_CERTIFICATE and TANDEM_TLS_KEY")
        }
        guard certificates.count == keys.count else {
            throw Mistake(description: "TANDEM_TLS_KEY must name as many files as TANDEM_TLS_CERTIFICATE, in the same order")
        }
        let identities = zip(certificates, keys).map { TLSContext.Identity(certificate: $0, key: $1) }
        return CertificateFiles(identities: identities, clients: try clientCertificates(settings))
    }

    private static func clientCertificates(_ settings: Settings) throws -> TLSContext.ClientCertificates {
        let (authorities, isRequired) = (settings.text("TANDEM_TLS_CLIENT_CA"), settings.flag("TANDEM_TLS_CLIENT_REQUIRED"))
        guard !authorities.isEmpty else {
            guard !isRequired else { throw Mistake(description: "TANDEM_TLS_CLIENT_REQUIRED wants TANDEM_TLS_CLIENT_CA") }
            return .notAsked
        }
        return isRequired ? .required(authorities: authorities) : .optional(authorities: authorities)
    }

    /// How long a peer may stay in a phase; nil: as long as it likes.
    func pace(_ phase: StreamPeer.Phase) -> Interval? {
        switch phase {
        case .idle: nil
        case .handshake, .headers: headerTime
        case .message: messageTime
        }
    }

    /// The port a loop's inside socket should have, so that tokens made before a restart still find it.
    func insidePort(ofLoop index: Int) -> UInt16? {
        let first = insidePort > 0 ? Int(insidePort) : Int(listen.first?.port ?? 0) + 10_000
        return UInt16(exactly: first + index)
    }
}
