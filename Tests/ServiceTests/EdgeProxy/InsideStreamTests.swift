import Addresses
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: servers over TCP (RFC 3261 §18)")
struct InsideStreamTests {
    private let bench = EdgeBench()

    @Test("§18.2.2: the response to a request from a server's connection goes back over it; the dialog names where the server listens")
    func connectionOfServer() throws {
        let flow = FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress)
        let route = "Route: <sip:\(flow.sealed(key: bench.core.tokenKey))@\(EdgeBench.insideAddress);lr>"
        let invite = try EdgeBench.request("INVITE", more: [route])
        let (message, destination) = try EdgeBench.forwarded(
            bench.core.receiveInside(invite, from: EdgeBench.callServer, connectedFrom: 40_123))
        #expect(destination == .flow(flow))
        #expect(bench.token(try #require(message.recordRoutes?.first).uri) == FlowToken(server: EdgeBench.callServer))
        let ok = try Message.parse(ResponseBuilder(message, 200, toTag: "phone").serialised())
        let (back, way) = try EdgeBench.forwarded(bench.outside(ok))
        #expect(way == .connectedServer(EdgeBench.callServer, from: 40_123))
        #expect(back.vias?.count == 1)
    }

    @Test("A request that changes to TCP differs from its datagram in the word of our Via alone")
    func viaOverStream() throws {
        let flow = FlowToken(flow: EdgeBench.phone, over: .udp, inside: EdgeBench.insideAddress)
        let route = "Route: <sip:\(flow.sealed(key: bench.core.tokenKey))@\(EdgeBench.insideAddress);lr>"
        let request = try EdgeBench.request("INVITE", more: [route])
        let decision: Decision = bench.core.receiveInside(request.view, from: EdgeBench.callServer)
        guard case .forward(var forwarding, _) = decision else { throw EdgeBench.Unexpected(what: "not forwarded") }
        func text(_ forwarding: Forwarding) -> String {
            String(decoding: forwarding.bytes(of: request.view, key: bench.core.tokenKey) ?? [], as: UTF8.self)
        }
        let datagram = text(forwarding)
        forwarding.hop?.transport = .tcp
        let ours = "SIP/2.0/UDP \(EdgeBench.outsideAddress);"
        #expect(datagram.contains(ours))
        #expect(text(forwarding) == datagram.replacing(ours, with: "SIP/2.0/TCP \(EdgeBench.outsideAddress);"))
    }
}
