import Addresses
import ServiceKit
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: phones over IPv6 (RFC 5118, RFC 6157)")
struct EdgeIPv6Tests {
    private static let outside6 = SocketAddress(.loopbackIPv6, port: 5060)
    private static let phone6 = SocketAddress(IPAddress(v6High: 0x2001_0db8_0000_0000, v6Low: 7), port: 41_000)

    /// Both families outside, IPv4 inside.
    private static let core: ProxyCore = {
        var configuration = EdgeBench().core.configuration
        configuration.outside = OutsideAddresses(
            EdgeBench.outsideAddress,
            EdgeBench.streamAddresses + [.init(.udp, outside6), .init(.tls, SocketAddress(.loopbackIPv6, port: 5071))])
        return ProxyCore(configuration)
    }()

    private var bench: EdgeBench {
        var bench = EdgeBench()
        bench.core = Self.core
        bench.arrival = Arrival(source: Self.phone6, transport: .udp, received: EdgeBench.start)
        return bench
    }

    @Test("A call of an IPv6 phone: received without brackets, routes of the edge's address in each family, a token that finds it")
    func invite() throws {
        let (message, destination) = try EdgeBench.forwarded(try bench.authenticated("INVITE"))
        #expect(destination == .server(EdgeBench.callServer))
        let vias = try #require(message.vias)
        #expect(vias.map(\.responseAddress) == [EdgeBench.insideAddress, Self.phone6])
        #expect(vias[1].received == "2001:db8::7")
        #expect(message.recordRoutes?.map(\.uri.socketAddress) == [EdgeBench.insideAddress, Self.outside6])
        #expect(message.recordRoutes?.last?.uri.host == "[::1]")
        let flow = FlowToken(flow: Self.phone6, over: .udp, inside: EdgeBench.insideAddress)
        #expect(bench.token(try #require(message.recordRoutes?.first).uri) == flow)
        // The response goes back by it.
        let ringing = try Message.parse(ResponseBuilder(message, 180, toTag: "cs").serialised())
        #expect(try EdgeBench.forwarded(bench.core.receiveInside(ringing, from: EdgeBench.callServer)).to == .flow(flow))
    }

    @Test("A call to a phone names the edge by the address of the phone's family", arguments: [
        (EdgeBench.phone, Transport.udp, EdgeBench.outsideAddress), (phone6, .udp, outside6), (phone6, .tcp, outside6),
        (phone6, .tls, SocketAddress(.loopbackIPv6, port: 5071)), (EdgeBench.phone, .tls, SocketAddress(.loopbackIPv4, port: 5061)),
    ])
    func called(_ phone: SocketAddress, _ transport: Transport, _ outside: SocketAddress) throws {
        let flow = FlowToken(flow: phone, over: transport, inside: EdgeBench.insideAddress, connection: transport.isReliable ? 3 : 0)
        let route = "Route: <sip:\(flow.sealed(key: bench.core.tokenKey))@\(EdgeBench.insideAddress);lr>"
        let invite = try EdgeBench.request("INVITE", more: [route])
        let (message, destination) = try EdgeBench.forwarded(bench.core.receiveInside(invite, from: EdgeBench.callServer))
        #expect(destination == .flow(flow))
        #expect(message.topmostVia?.responseAddress == outside)
        #expect(message.recordRoutes?.map(\.uri.socketAddress) == [outside, EdgeBench.insideAddress])
    }

    @Test("RFC 3581 §4: refused without rport at the port of the Via, with it where it came from; never where the Via says")
    func refused() throws {
        let bytes = String(decoding: try EdgeBench.request("INVITE").bytes, as: UTF8.self)
        for (via, port) in [("[2001:db8::dead]:5066;branch", UInt16(5_066)), ("[2001:db8::dead];branch", 5_060), ("[2001:db8::dead]:5066;rport;branch", 41_000)] {
            let request = try Message.parse(Array(bytes.replacing("10.0.0.5:5060;rport;branch", with: via).utf8))
            guard case .replyOutside(let answer, 407, let address) = bench.outside(request) else { throw EdgeBench.Unexpected(what: via) }
            #expect(address == SocketAddress(Self.phone6.address, port: port))
            #expect(try Message.parse(answer).topmostVia?.received == "2001:db8::7")
        }
    }

    @Test("A URI with an IPv6 address asks the edge itself, and stands for the default domain")
    func reference() throws {
        #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request("OPTIONS", uri: "sip:[::1]:5060"))).status == 200)
        let challenged = try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE", domain: "[2001:db8::1]")))
        #expect(challenged.challenges.first?.realm == "demo.localhost")
    }

    // MARK: Settings

    private static func settings(_ values: [String: String]) throws -> EdgeSettings {
        let declared = EdgeSettings.declared + [Setting("TANDEM_INSIDE_ADDRESS", default: "127.0.0.1", "inside")]
        return try EdgeSettings(try Settings(declared, environment: values, readFile: { _ in nil }))
    }

    @Test("One address of each family: phones of each are told theirs, or the public one in its place")
    func listening() throws {
        let both = try Self.settings([
            "TANDEM_SIP_LISTEN": "127.0.0.1:5060,[::1]:5070", "TANDEM_WS_LISTEN": "127.0.0.1:8088, [::1]:8098",
            "TANDEM_SIP_PUBLIC": "[2001:db8::5]:5999",
        ])
        #expect(both.listen.map(\.description) == ["127.0.0.1:5060", "[::1]:5070"])
        #expect(both.streams.map(\.transport) == [.tcp, .tcp, .ws, .ws])
        func told(_ transport: Transport, _ phone: SocketAddress) -> String { both.outside.address(over: transport, for: phone).description }
        #expect(told(.udp, EdgeBench.phone) == "127.0.0.1:5060")
        #expect(told(.tcp, Self.phone6) == "[2001:db8::5]:5999")
        #expect(told(.ws, EdgeBench.phone) == "127.0.0.1:8088")
        #expect(told(.ws, Self.phone6) == "[2001:db8::5]:8098")
        let any = try Self.settings(["TANDEM_SIP_LISTEN": "0.0.0.0:5060"])
        #expect(any.outside.plain.map(\.description) == ["127.0.0.1:5060"])
    }

    @Test("What cannot work is refused with the setting that is to be changed", arguments: [
        (["TANDEM_SIP_LISTEN": "127.0.0.1:5060,127.0.0.2:5060"], "TANDEM_SIP_LISTEN"),
        (["TANDEM_SIP_LISTEN": "[::1]:0"], "TANDEM_SIP_LISTEN"),
        (["TANDEM_SIP_LISTEN": ""], "TANDEM_SIP_LISTEN"), (["TANDEM_SIP_LISTEN": "[::]:5060"], "TANDEM_SIP_PUBLIC"),
        (["TANDEM_SIP_LISTEN": "[::1]:5060", "TANDEM_WS_LISTEN": "[::1]:5060"], "TANDEM_WS_LISTEN"),
        (["TANDEM_CALL_SERVERS": "[::1]:5060"], "TANDEM_INSIDE_ADDRESS"),
    ])
    func mistakes(_ values: [String: String], _ named: String) {
        let error = #expect(throws: EdgeSettings.Mistake.self) { _ = try Self.settings(values) }
        #expect(error?.description.contains(named) == true)
    }

    @Test("What has not the form of an address, a network or a rate is refused with all the others, before they are looked at together")
    func forms() {
        let values = [
            "TANDEM_SIP_LISTEN": "::1:5060x", "TANDEM_WSS_LISTEN": "8089", "TANDEM_TRUSTED": "10.0.0.0/33", "TANDEM_RATE_INVITE": "20",
            "TANDEM_ADMISSION_EXEMPT": "here",
        ]
        let error = #expect(throws: Settings.Mistakes.self) { _ = try Self.settings(values) }
        #expect(error?.lines.count == values.count)
        for name in values.keys { #expect(error?.description.contains("\(name) is '") == true) }
    }

    @Test("A server's name is looked up in the family of the inside address")
    func names() throws {
        func found(_ name: String, from inside: IPAddress?) throws -> [String] {
            try ServerNames.addresses(of: name, setting: "TANDEM_CALL_SERVERS", reachedFrom: inside).map(\.description)
        }
        #expect(try found("localhost:5060", from: .loopbackIPv4) == ["127.0.0.1:5060"])
        #expect(try found("[::1]:5060", from: .loopbackIPv6) == ["[::1]:5060"])
        #expect(try found("[::1]:5060", from: nil) == ["[::1]:5060"])
        #expect(throws: EdgeSettings.Mistake.self) { _ = try found("127.0.0.1:5060", from: .loopbackIPv6) }
    }
}
