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

    @Test("What is as large as may come from outside is none too large for a server's connection, which others share")
    func largest() throws {
        let (invite, _) = try EdgeBench.forwarded(try bench.authenticated("INVITE"))
        let routes = try #require(invite.recordRoutes).reversed().map { "Route: <\($0.uri)>" }
        let limits = Limits.outside
        let fields = try EdgeBench.request("BYE", toTag: "cs", more: routes).fields.count
        let vias = (1..<limits.viaCount).map { "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\($0)" }
        let longVia = "x=" + String(repeating: "a", count: limits.lineLength - 60)
        for (more, branch) in [
            ((fields..<limits.headerCount).map { "X-\($0): 1" }, "a"), (["X: " + String(repeating: "a", count: limits.lineLength - 3)], "b"),
            (vias, "c"), ([], "d;\(longVia)"),
        ] {
            let request = try EdgeBench.request("BYE", toTag: "cs", branch: "z9hG4bK\(branch)", more: routes + more)
            for length in [request.bytes.count, limits.messageLength] {
                let padded = try Message.parse(request.bytes + [UInt8](repeating: 65, count: length - request.bytes.count), limits: limits)
                guard case .forward(let bytes, _) = bench.outside(padded) else { throw EdgeBench.Unexpected(what: "not forwarded") }
                var framer = MessageFramer()
                framer.append(bytes)
                guard case .message(let message)? = try framer.next() else { throw EdgeBench.Unexpected(what: "no message") }
                #expect(message.body.count == padded.body.count)
            }
        }
    }
}
