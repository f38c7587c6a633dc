import Addresses
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: what it tells a registrar, and what comes of it")
struct RegistrationRouteTests {
    private let bench = EdgeBench()

    private func register(_ more: [String] = []) throws -> Message {
        try EdgeBench.forwarded(
            try bench.authenticated("REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost", more: more)
        ).message
    }

    private func serviceRoute() throws -> NameAddress {
        try #require(try register().value(named: "X-Tandem-Service-Route").flatMap { NameAddress($0) })
    }

    @Test("RFC 3608: the registrar is told the way in, which every edge of the cluster knows again")
    func serviceRoutes() throws {
        let route = try serviceRoute()
        #expect(route.uri.socketAddress == EdgeBench.outsideAddress && route.uri.isLooseRouter)
        #expect(bench.token(route.uri) == FlowToken(edge: EdgeBench.insideAddress))
        let forged = try register(["X-Tandem-Service-Route: <sip:evil@192.0.2.66>"])
        #expect(forged.fields.filter { forged.name(of: $0) == "X-Tandem-Service-Route" }.count == 1)
    }

    @Test("RFC 3608 §6.1: a preloaded Route of ours is no dialog: it is challenged, To tag or not, and gone further in")
    func preloaded() throws {
        let line = "Route: \(try serviceRoute())"
        for tag in [nil, "made-up"] as [String?] {
            for method in ["INVITE", "BYE", "SUBSCRIBE"] {
                #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request(method, toTag: tag, more: [line]))).status == 407)
            }
        }
        let (message, destination) = try EdgeBench.forwarded(try bench.authenticated("INVITE", more: [line]))
        #expect(destination == .server(EdgeBench.callServer) && !message.contains(.route))
    }

    @Test("a Record-Route of ours in a request that begins something does not choose its server, nor pass for a dialog")
    func preloadedServer() throws {
        let other = SocketAddress(.loopbackIPv4, port: 6_001)
        var bench = bench
        bench.directory.callServers = [
            .init(instance: "CallServer-1", address: EdgeBench.callServer, isDraining: false),
            .init(instance: "CallServer-2", address: other, isDraining: true),
        ]
        let line = "Route: <sip:\(FlowToken(server: other).sealed(key: bench.core.tokenKey))@127.0.0.1:5060;lr>"
        #expect(try EdgeBench.answer(bench.outside(try EdgeBench.request("INVITE", more: [line]))).status == 407)
        let (message, destination) = try EdgeBench.forwarded(try bench.authenticated("MESSAGE", more: [line]))
        #expect(destination == .server(EdgeBench.callServer))
        #expect(message.value(named: "X-Tandem-Flow") == nil)
    }

    @Test("alone, a registrar of the farm hears nothing private")
    func alone() throws {
        var configuration = bench.core.configuration
        configuration.alone = ProxyCore.Alone(trusted: [try #require(AddressRange("0.0.0.0/0"))], servers: [EdgeBench.callServer])
        let core = ProxyCore(configuration)
        let request = try EdgeBench.request("REGISTER", uri: "sip:demo.localhost")
        let (message, _) = try EdgeBench.forwarded(
            core.receiveOutside(request, bench.arrival, now: EdgeBench.now, bench.directory))
        #expect(message.value(named: "X-Tandem-Service-Route") == nil)
    }

    @Test(
        "RFC 5626 §5.1: the Path says `ob` where a phone asks for outbound and meets us first",
        arguments: [
            (["Supported: path, outbound"], true), (["Supported: path"], false),
            (["Supported: outbound", "Via: SIP/2.0/UDP 10.0.0.6;branch=z9hG4bK2"], false),
        ])
    func outbound(more: [String], isOutbound: Bool) throws {
        let path = try #require(try register(more).paths?.first)
        #expect(path.uri.parameters.contains("ob") == isOutbound)
        #expect(path.uri.isLooseRouter && bench.token(path.uri)?.kind == .flow)
    }
}
