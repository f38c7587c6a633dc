import Addresses
import Deadlines
import SIP

@testable import EdgeProxy

/// An edge with one call server and one registrar inside, and phone 1001 outside.
struct EdgeBench {
    static let phone = SocketAddress(IPAddress(v4: 0xc000_0201), port: 40_000)
    static let outsideAddress = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 5060)
    static let streamAddresses: [OutsideAddresses.Place] = [
        .init(.tls, SocketAddress(.loopbackIPv4, port: 5061)), .init(.ws, SocketAddress(.loopbackIPv4, port: 8088)),
        .init(.wss, SocketAddress(.loopbackIPv4, port: 8089)),
    ]
    static let insideAddress = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 15_060)
    static let callServer = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 6000)
    static let registrar = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 7000)
    static let password = "secret"
    static let now: Int64 = 1_764_000_000_000
    static let start = Instant(nanoseconds: 1_000_000_000)

    var core = ProxyCore(
        ProxyCore.Configuration(
            domain: "demo.localhost", outside: OutsideAddresses(EdgeBench.outsideAddress, EdgeBench.streamAddresses),
            inside: EdgeBench.insideAddress,
            tokenKey: [UInt8](repeating: 1, count: 32),
            nonceKey: [UInt8](repeating: 2, count: 32)))
    var directory = Directory(
        registrars: [.init(instance: "Registrar-1", address: registrar, isDraining: false)],
        callServers: [.init(instance: "CallServer-1", address: callServer, isDraining: false)])
    var arrival = Arrival(source: phone, transport: .udp, received: start)

    static let account = Account(
        customer: "cus_1", user: "1001", domain: "demo.localhost",
        md5: Digest.ha1(user: "1001", realm: "demo.localhost", password: password, .md5),
        sha256: Digest.ha1(user: "1001", realm: "demo.localhost", password: password, .sha256))

    struct Unexpected: Error { let what: String }

    /// A request of phone 1001; `more` are further header lines.
    static func request(
        _ method: String, uri: String = "sip:1002@demo.localhost", user: String = "1001", domain: String = "demo.localhost",
        to: String? = nil,
        toTag: String? = nil, callID: String = "call-1", branch: String = "z9hG4bKphone", maxForwards: Int? = 70,
        more: [String] = []
    ) throws -> Message {
        var lines = [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=\(branch)",
            "From: <sip:\(user)@\(domain)>;tag=phone", "To: <\(to ?? uri)>" + (toTag.map { ";tag=\($0)" } ?? ""),
            "Call-ID: \(callID)",
            "CSeq: 1 \(method)", "Contact: <sip:\(user)@10.0.0.5:5060>",
        ]
        if let maxForwards { lines.append("Max-Forwards: \(maxForwards)") }
        return try Message.parse(Array((lines + more + ["", ""]).joined(separator: "\r\n").utf8))
    }

    func outside(_ message: Message) -> Judgement { core.receiveOutside(message, arrival, now: Self.now, directory) }

    /// The answer a phone gets, where one is expected.
    static func answer(_ decision: Judgement) throws -> Message {
        switch decision {
        case .replyOutside(let bytes, _, _), .reply(let bytes, _): return try Message.parse(bytes)
        case .forward, .authenticate, .awaitDomain, .turnAway, .unavailable, .drop: throw Unexpected(what: "\(decision)")
        }
    }

    static func forwarded(_ decision: Judgement) throws -> (message: Message, to: Destination) {
        guard case .forward(let bytes, let destination) = decision else { throw Unexpected(what: "\(decision)") }
        return (try Message.parse(bytes), destination)
    }

    /// The credentials line with which a phone answers a challenge.
    static func credentials(_ challenge: DigestChallenge, _ request: Message, password: String = password) -> String {
        let method = request.method ?? .invite
        let answer = challenge.answer(
            user: request.from?.uri.user ?? "", password: password, method: method, uri: request.requestURIText ?? "",
            clientNonce: "c")
        return (method == .register ? "Authorization: " : "Proxy-Authorization: ") + answer.headerValue
    }

    /// Challenges the request, answers with that hash and resumes with the account.
    func authenticated(
        _ method: String, uri: String = "sip:1002@demo.localhost", to: String? = nil, hash: DigestHash = .sha256,
        password: String = password,
        account: Account? = EdgeBench.account, callID: String = "call-1", more: [String] = []
    ) throws -> Judgement {
        var servers = Placement(directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
        return try authenticated(
            method, &servers, uri: uri, to: to, hash: hash, password: password, account: account, callID: callID, more: more)
    }

    func authenticated(
        _ method: String, _ servers: inout Placement, uri: String = "sip:1002@demo.localhost", to: String? = nil,
        hash: DigestHash = .sha256, password: String = password,
        account: Account? = EdgeBench.account, callID: String = "call-1", more: [String] = []
    ) throws -> Judgement {
        let first = try Self.request(method, uri: uri, to: to, callID: callID, more: more)
        let challenges = try Self.answer(outside(first)).challenges
        guard let challenge = challenges.first(where: { $0.hash == hash }) else { throw Unexpected(what: "no challenge") }
        let second = try Self.request(
            method, uri: uri, to: to, callID: callID, branch: "z9hG4bKsecond",
            more: more + [Self.credentials(challenge, first, password: password)])
        guard case .authenticate(let pending) = outside(second) else { throw Unexpected(what: "not authenticated") }
        return resume(pending, account, &servers)
    }

    func token(_ uri: URI) -> FlowToken? { uri.user.flatMap { FlowToken(verifying: $0, key: core.tokenKey) } }

    func resume(_ pending: PendingAuthentication, _ account: Account?) -> Judgement {
        var servers = Placement(directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
        return resume(pending, account, &servers)
    }

    func resume(_ pending: PendingAuthentication, _ account: Account?, _ servers: inout Placement) -> Judgement {
        let decision = core.resume(pending, core.owner(of: pending, account), &servers)
        return Judgement(decision, pending.message.view, core)
    }
}

/// What became of a message, with the bytes that leave.
enum Judgement {
    case forward([UInt8], to: Destination)
    case reply([UInt8], status: Int)
    case replyOutside([UInt8], status: Int, to: SocketAddress)
    case authenticate(PendingAuthentication)
    case awaitDomain(String)
    case turnAway(AdmissionReason)
    case unavailable
    case drop(DropReason)

    init(_ decision: Decision, _ message: borrowing MessageView, _ core: ProxyCore) {
        switch decision {
        case .forward(let forwarding, let destination):
            guard let bytes = forwarding.bytes(of: message, key: core.tokenKey) else {
                self = .drop(.unsendable)
                return
            }
            self = .forward(bytes, to: destination)
        case .reply(let bytes, let status): self = .reply(bytes, status: status)
        case .replyOutside(let bytes, let status, let address): self = .replyOutside(bytes, status: status, to: address)
        case .authenticate(let pending): self = .authenticate(pending)
        case .awaitDomain(let domain): self = .awaitDomain(domain)
        case .turnAway(let reason): self = .turnAway(reason)
        case .unavailable: self = .unavailable
        case .drop(let reason): self = .drop(reason)
        }
    }
}

extension ProxyCore {
    /// A door at which nobody has been yet, and that lets answers be as long as they like.
    private static func openDoor() -> Admission {
        var settings = AdmissionSettings()
        settings.amplification = AmplificationLimit(percent: 0)
        return Admission(settings, seed: (1, 2), connections: 8)
    }

    func receiveOutside(_ message: Message, _ arrival: Arrival, now: Int64, _ directory: Directory) -> Judgement {
        var admission = Self.openDoor()
        return receiveOutside(message, arrival, now: now, directory, &admission)
    }

    func receiveOutside(
        _ message: Message, _ arrival: Arrival, now: Int64, _ directory: Directory, _ admission: inout Admission
    ) -> Judgement {
        var servers = Placement(directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
        return receiveOutside(message, arrival, now: now, &servers, &admission)
    }

    func receiveOutside(_ message: Message, _ arrival: Arrival, now: Int64, _ servers: inout Placement) -> Judgement {
        var admission = Self.openDoor()
        return receiveOutside(message, arrival, now: now, &servers, &admission)
    }

    private func receiveOutside(
        _ message: Message, _ arrival: Arrival, now: Int64, _ servers: inout Placement, _ admission: inout Admission
    ) -> Judgement {
        let decision = receiveOutside(message.view, arrival, now: now, &servers, &admission)
        return Judgement(decision, message.view, self)
    }

    func receiveInside(
        _ message: Message, from source: SocketAddress, connectedFrom port: UInt16? = nil, trunks: Trunks = .none
    ) -> Judgement {
        Judgement(receiveInside(message.view, from: source, connectedFrom: port, trunks: trunks), message.view, self)
    }

    func flowFailed(_ message: Message, from source: SocketAddress) -> Judgement {
        Judgement(flowFailed(message.view, from: source), message.view, self)
    }
}
