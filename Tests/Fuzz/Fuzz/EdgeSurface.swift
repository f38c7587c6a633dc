import Addresses
import Cryptography
import Deadlines
import Hostile
import SIP

@testable import EdgeCore

/// The whole decision of an edge: what leaves is, to another reader, what came, but for what a proxy changes; what it answers is SIP.
enum EdgeSurface {
    private static let here = SocketAddress(IPAddress(v4: 0xc000_0201), port: 5060)
    private static let inside = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 15_060)
    private static let server = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 6000)
    private static let phone = Arrival(
        source: SocketAddress(IPAddress(v4: 0xc633_6401), port: 40_000), transport: .udp, received: Instant(nanoseconds: 0))

    private static let everybody = AddressRange("0.0.0.0/0").map { [$0] } ?? []

    private static func core(isAlone: Bool) -> ProxyCore {
        ProxyCore(
            ProxyCore.Configuration(
                domain: "demo.localhost", outside: OutsideAddresses(here), inside: inside, tokenKey: [UInt8](repeating: 1, count: 32),
                nonceKey: [UInt8](repeating: 2, count: 32), alone: isAlone ? ProxyCore.Alone(trusted: everybody, servers: [server]) : nil))
    }

    private static let cores = [core(isAlone: true), core(isAlone: false)]
    private static let directory = ServerWatch([server], every: .seconds(1), now: Instant(nanoseconds: 0)).directory(now: Instant(nanoseconds: 0))
    nonisolated(unsafe) private static var index = MessageIndex(limits: .outside)
    nonisolated(unsafe) private static var servers = Placement(directory, recentDialogs: 16, now: Instant(nanoseconds: 0))

    nonisolated(unsafe) private static var admission: Admission = {
        var settings = AdmissionSettings()
        settings.exempt = everybody
        settings.rates.sources = 64
        return Admission(settings, seed: (1, 2), connections: 8)
    }()

    static func outside(_ bytes: [UInt8]) {
        for core in cores {
            judge(bytes, core) { view in core.receiveOutside(view, phone, now: 1_764_000_000_000, &servers, &admission) }
        }
    }

    static func inside(_ bytes: [UInt8]) {
        let core = cores[0]
        judge(bytes, core) { view in core.receiveInside(view, from: server) }
    }

    private static func judge(_ bytes: [UInt8], _ core: ProxyCore, _ decide: (borrowing MessageView) -> Decision) {
        do throws(ParseError) {
            try index.read(bytes.span)
        } catch {
            guard let view = index.view(of: bytes.span) else { return }
            return check(core.receiveUnreadable(view, error, phone, &admission), view, bytes, core)
        }
        guard let view = index.view(of: bytes.span) else { preconditionFailure("what was read is there") }
        check(decide(view), view, bytes, core)
    }

    private static func check(_ decision: Decision, _ view: borrowing MessageView, _ bytes: [UInt8], _ core: ProxyCore) {
        switch decision {
        case .forward(let forwarding, _):
            guard let leaving = forwarding.bytes(of: view, key: core.tokenKey) else { preconditionFailure("in its own memory there is room") }
            compare(bytes, leaving, isRequest: view.isRequest)
        case .reply(let answer, let status), .replyOutside(let answer, let status, _):
            // An answer repeats what was too much, Vias above all (§8.2.6.2).
            let wide = Limits(messageLength: 1 << 20, headerCount: 4_096, lineLength: 1 << 20, viaCount: 1 << 20)
            guard let strict = try? StrictMessage(answer), let message = try? Message.parse(answer, limits: wide) else {
                preconditionFailure("no SIP: \(String(decoding: answer, as: UTF8.self))")
            }
            precondition(message.status == status && strict.body.isEmpty, "an answer with something in it")
        case .authenticate(let pending):
            _ = core.isAuthentic(pending, nil)
        case .drop, .awaitDomain, .turnAway, .unavailable: break
        }
    }

    private static func compare(_ came: [UInt8], _ left: [UInt8], isRequest: Bool) {
        do throws(StrictMessage.Flaw) {
            let (before, after) = (try StrictMessage(datagram: came), try StrictMessage(left))
            precondition(before.startLine == after.startLine && before.body == after.body, "start line or body changed")
            precondition(kept(before) == kept(after), "\(kept(before)) became \(kept(after))")
            let (sent, vias) = (before.fields.filter { $0.name == "via" }.count, after.fields.filter { $0.name == "via" }.count)
            precondition(isRequest ? vias == sent + 1 : vias <= sent, "\(sent) Vias became \(vias)")
            precondition(after.fields.filter { $0.name == "content-length" }.count == 1, "Content-Length")
        } catch { preconditionFailure("forwarded, and to another reader no message: \(error)") }
    }

    private static func kept(_ message: StrictMessage) -> [StrictMessage.Field] {
        let changed: Set = [
            "via", "max-forwards", "route", "record-route", "path", "content-length", "p-asserted-identity", "p-preferred-identity",
            "remote-party-id", "diversion", "history-info", "authorization", "proxy-authorization",
        ]
        return message.fields.filter { !changed.contains($0.name) && !$0.name.hasPrefix("x-tandem-") }
    }

    /// Nobody makes a token without the key: what is accepted is what was sealed, and seals the same.
    static func token(_ bytes: [UInt8]) {
        let key = SipHash(key: [UInt8](repeating: 1, count: 16))
        let sealed = FlowToken(flow: here, over: .udp, inside: inside).sealed(key: key)
        precondition(FlowToken(verifying: sealed, key: key) != nil, "its own token is not believed")
        guard let token = FlowToken(verifying: bytes.span, key: key) else { return }
        precondition(Array(token.sealed(key: key).utf8) == bytes, "two texts are one token")
    }
}
