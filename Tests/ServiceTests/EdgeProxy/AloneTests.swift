import Addresses
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy alone, in front of a fixed list of servers (RFC 3261 §16)")
struct AloneTests {
    private static let other = SocketAddress(.loopbackIPv4, port: 6001)
    private static let servers = [EdgeBench.callServer, other]
    private let bench: EdgeBench
    private let stranger = Arrival(source: SocketAddress(IPAddress(v4: 0xc633_6401), port: 5060), transport: .udp, received: EdgeBench.start)

    init() throws {
        var bench = EdgeBench()
        var configuration = bench.core.configuration
        configuration.alone = ProxyCore.Alone(trusted: [try #require(AddressRange("192.0.2.0/24"))], servers: Self.servers)
        bench.core = ProxyCore(configuration)
        bench.directory = ServerWatch(Self.servers, every: .seconds(1), now: Instant(nanoseconds: 0))
            .directory(now: Instant(nanoseconds: 0))
        self.bench = bench
    }

    private func strange(_ message: Message) -> Judgement {
        bench.core.receiveOutside(message, stranger, now: EdgeBench.now, bench.directory)
    }

    @Test("What a trusted source begins goes to the server of its Call-ID as it is; strangers get 403", arguments: [
        "INVITE", "REGISTER", "MESSAGE", "CANCEL", "OPTIONS",
    ])
    func begins(_ method: String) throws {
        let request = try EdgeBench.request(method, uri: "sip:bob@elsewhere.example", more: ["Authorization: Digest x"])
        let forwarded = try EdgeBench.forwarded(bench.outside(request))
        let hash = try #require(request.callIDHash)
        let server = try #require(Directory.pick(bench.directory.callServers, callID: hash))
        #expect(forwarded.to == .server(server))
        #expect(forwarded.message.requestURIText == "sip:bob@elsewhere.example")
        #expect(forwarded.message.value(.authorization) == "Digest x")
        #expect(try EdgeBench.answer(strange(request)).status == 403)
    }

    @Test("Both servers get their share of the Call-IDs")
    func share() throws {
        var counts: [Destination: Int] = [:]
        for number in 0..<200 {
            let request = try EdgeBench.request("INVITE", callID: "call-\(number)")
            counts[try EdgeBench.forwarded(bench.outside(request)).to, default: 0] += 1
        }
        #expect(Set(counts.keys) == Set(Self.servers.map { .server($0) }))
        #expect(counts.values.allSatisfy { $0 > 60 })
    }

    @Test("§11: OPTIONS for the edge's address is answered by it, for another address forwarded")
    func options() throws {
        #expect(try EdgeBench.answer(bench.outside(EdgeBench.request("OPTIONS", uri: "sip:127.0.0.1:5060"))).status == 200)
        _ = try EdgeBench.forwarded(bench.outside(EdgeBench.request("OPTIONS", uri: "sip:192.0.2.77")))
    }

    @Test("§16.4: a Route with our plain address is taken off; what follows it is for the farm")
    func plainRoute() throws {
        let request = try EdgeBench.request("INVITE", more: ["Route: <sip:127.0.0.1:5060;lr>, <sip:farm.example;lr>"])
        let forwarded = try EdgeBench.forwarded(bench.outside(request)).message
        #expect(forwarded.routes?.map(\.uri.host) == ["farm.example"])
        #expect(try EdgeBench.answer(strange(request)).status == 403)
    }

    @Test("A stranger goes on with a dialog by the route that we signed, and by no other")
    func dialog() throws {
        let signed = "<sip:\(FlowToken(server: Self.other).sealed(key: bench.core.tokenKey))@\(EdgeBench.outsideAddress);lr>"
        let request = try EdgeBench.request("BYE", toTag: "x", more: ["Route: \(signed)"])
        #expect(try EdgeBench.forwarded(strange(request)).to == .server(Self.other))
        let forged = try EdgeBench.request("BYE", toTag: "x", more: ["Route: <sip:127.0.0.1:5060;lr>"])
        #expect(try EdgeBench.answer(strange(forged)).status == 403)
        guard case .drop = strange(try EdgeBench.request("ACK", toTag: "x")) else { throw EdgeBench.Unexpected(what: "forwarded") }
    }

    @Test("A listed server reaches any address over UDP, but not the edge itself; nobody else does")
    func outOfFarm() throws {
        let target = SocketAddress(IPAddress(v4: 0xc000_0209), port: 5070)
        let request = try EdgeBench.request("INVITE", uri: "sip:bob@192.0.2.9:5070")
        let forwarded = try EdgeBench.forwarded(bench.core.receiveInside(request, from: Self.other))
        #expect(forwarded.to == .flow(FlowToken(flow: target, over: .udp, inside: EdgeBench.insideAddress)))
        #expect(forwarded.message.recordRoutes?.count == 2)
        #expect(forwarded.message.routes?.isEmpty == true)
        let nobody = SocketAddress(IPAddress(v4: 0x0a00_0001), port: 6000)
        #expect(try EdgeBench.answer(bench.core.receiveInside(request, from: nobody)).status == 404)
        for uri in ["sip:bob@127.0.0.1:5060", "sip:bob@name.example", "sip:bob@192.0.2.9;transport=tcp"] {
            let lost = try EdgeBench.request("INVITE", uri: uri)
            #expect(try EdgeBench.answer(bench.core.receiveInside(lost, from: Self.other)).status == 404)
        }
    }

    @Test("A server that left three questions unanswered is silent and gets nothing new; when all are silent: as before")
    func watch() {
        func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 9_000_000_000) + .milliseconds(milliseconds) }
        var watch = ServerWatch(Self.servers, every: .seconds(1), now: at(0))
        func hear(_ server: SocketAddress, _ now: Instant, _ isListed: Bool) {
            let isHeard = watch.heard(server, now: now)
            #expect(isHeard == isListed)
        }
        func due(_ now: Instant) -> [SocketAddress] { watch.due(now: now) }
        #expect(due(at(0)) == Self.servers)
        for server in Self.servers { hear(server, at(1), true) }
        #expect(due(at(750)).isEmpty)
        #expect(due(at(1_000)) == Self.servers)
        hear(Self.other, at(1_001), true)
        hear(EdgeBench.registrar, at(1_001), false)
        #expect(due(at(2_000)) == Self.servers)
        hear(Self.other, at(2_001), true)
        #expect(watch.directory(now: at(3_250)).callServers.allSatisfy { !$0.isSilent })
        let left = watch.directory(now: at(3_252)).callServers
        #expect(left.filter { !$0.isSilent }.map(\.address) == [Self.other])
        #expect((0..<50).allSatisfy { Directory.pick(left, callID: $0) == Self.other })
        let silent = watch.directory(now: at(9_000)).callServers
        #expect(Set((0..<50).map { Directory.pick(silent, callID: $0) }) == Set(Self.servers))
        hear(EdgeBench.callServer, at(9_001), true)
        #expect(watch.directory(now: at(9_002)).callServers.first?.isSilent == false)
    }

    @Test("A server whose port nobody listens at is silent at once, and alive with its next answer")
    func refusal() {
        let now = Instant(nanoseconds: 9_000_000_000)
        var watch = ServerWatch(Self.servers, every: .seconds(1), now: now)
        watch.refused(Self.other)
        #expect(watch.directory(now: now).callServers.filter(\.isSilent).map(\.address) == [Self.other])
        let isListed = watch.heard(Self.other, now: now)
        #expect(isListed)
        #expect(watch.directory(now: now).callServers.allSatisfy { !$0.isSilent })
    }
}
