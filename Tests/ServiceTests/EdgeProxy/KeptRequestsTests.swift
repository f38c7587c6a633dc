import Addresses
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: requests over connections are kept until their first response (RELIABILITY §4.3)")
struct KeptRequestsTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)
    private static let successor = SocketAddress(.loopbackIPv4, port: 6100)
    private static let arrival = Arrival(source: EdgeBench.phone, transport: .tls, connection: 5, received: EdgeBench.start)
    private let bench: EdgeBench

    init() throws {
        var bench = EdgeBench()
        bench.arrival = Self.arrival
        self.bench = bench
    }

    private func at(_ milliseconds: Int) -> Instant { Self.start + .milliseconds(milliseconds) }

    private func placement(_ directory: Directory) -> Placement {
        Placement(directory, recentDialogs: 64, now: Instant(nanoseconds: 0))
    }

    /// A request as the loop keeps it once the core has decided.
    private func kept(_ method: String, callID: String = "call-1", more: [String] = []) throws -> (KeptRequests.Kept, KeptRequests.Key, Message) {
        let request = try EdgeBench.request(method, callID: callID, branch: "z9hG4bK\(callID)", more: more)
        let view = request.view
        let head = try RequestHead(view)
        var servers = placement(bench.directory)
        let decision = bench.core.forwardToCallServer(view, head, Self.arrival, nil, .account(EdgeBench.account), &servers)
        guard case .forward(let forwarding, .server(let server)) = decision, let hop = forwarding.hop,
            let bytes = forwarding.bytes(of: view, key: bench.core.tokenKey)
        else { throw EdgeBench.Unexpected(what: "\(decision)") }
        return (
            KeptRequests.Kept(message: request, forwarding: forwarding, arrival: Self.arrival, server: server),
            KeptRequests.Key(hop.branch.transaction, head.method), try Message.parse(bytes)
        )
    }

    private func table(count: Int = 10, bytes: Int = 100_000) -> KeptRequests { KeptRequests(.init(count: count, bytes: bytes)) }

    @Test("A request without a response is due after 1, 2, 4, 4 ... seconds, and forgotten after 32")
    func repeats() throws {
        var table = table()
        let (kept, key, _) = try kept("INVITE")
        let isKept = table.keep(kept, as: key, now: at(0))
        #expect(isKept)
        var times: [Int] = []
        for now in stride(from: 0, through: 40_000, by: 250) {
            while let due = table.popDue(now: at(now)) {
                #expect(due == key)
                times.append(now)
            }
        }
        #expect(times == [1_000, 3_000, 7_000, 11_000, 15_000, 19_000, 23_000, 27_000, 31_000])
        #expect(table.isEmpty && table.bytes == 0)
    }

    @Test("§16.11, §9.1: the response finds its request by the branch we made, and a CANCEL is not its INVITE")
    func answered() throws {
        var table = table()
        let (invite, inviteKey, inside) = try kept("INVITE")
        let (cancel, cancelKey, _) = try kept("CANCEL")
        let areKept = [table.keep(invite, as: inviteKey, now: at(0)), table.keep(cancel, as: cancelKey, now: at(1))]
        #expect(areKept == [true, true])
        #expect(inviteKey != cancelKey)
        let ringing = try Message.parse(ResponseBuilder(inside, 180, toTag: "cs").serialised())
        let key = KeptRequests.Key(response: ringing.view)
        #expect(key == inviteKey)
        table.remove(try #require(key))
        #expect(table.count == 1)
        #expect(table[cancelKey] != nil)
        let foreign = String(decoding: ringing.bytes, as: UTF8.self).replacing("z9hG4bK", with: "z9hG4bK-")
        let other = try Message.parse(Array(foreign.utf8))
        let nobody = KeptRequests.Key(response: other.view)
        #expect(nobody == nil)
    }

    @Test("Above the bound in requests or in bytes nothing is kept; a repetition takes no second place")
    func bounds() throws {
        let (first, firstKey, _) = try kept("INVITE", callID: "one")
        let (second, secondKey, _) = try kept("INVITE", callID: "two")
        for var full in [table(count: 1), table(bytes: first.message.bytes.count + 10)] {
            let results = [
                full.keep(first, as: firstKey, now: at(0)), full.keep(first, as: firstKey, now: at(1)),
                full.keep(second, as: secondKey, now: at(2)),
            ]
            #expect(results == [true, true, false])
            #expect(full.count == 1 && full.bytes == first.message.bytes.count)
        }
    }

    @Test("What was with a server that is gone goes to the successor, oldest first, and the phone's route leads there")
    func successor() throws {
        var table = table()
        let (invite, inviteKey, inside) = try kept("INVITE")
        let (cancel, cancelKey, _) = try kept("CANCEL")
        _ = table.keep(cancel, as: cancelKey, now: at(9))
        _ = table.keep(invite, as: inviteKey, now: at(0))
        #expect(table.orphans { bench.core.isLiving($0, bench.directory) }.isEmpty)
        var servers = placement(bench.directory)
        let same = bench.core.secondWay(of: invite, &servers)
        #expect(same?.server == EdgeBench.callServer)
        var later = bench.directory
        later.callServers = [.init(instance: "CallServer-2", address: Self.successor, isDraining: false)]
        servers.renew(later, now: at(0))
        #expect(table.orphans { bench.core.isLiving($0, later) } == [inviteKey, cancelKey])
        let way = bench.core.secondWay(of: invite, &servers)
        let (server, forwarding) = try #require(way)
        #expect(server == Self.successor)
        #expect(servers.callServer(callID: try #require(invite.message.callIDHash)) == Self.successor)
        let bytes = forwarding.bytes(of: invite.message.view, key: bench.core.tokenKey)
        let again = try Message.parse(try #require(bytes))
        #expect(again.topmostVia?.branch == inside.topmostVia?.branch)
        #expect(again.recordRoutes?.first?.uri == inside.recordRoutes?.first?.uri)
        #expect(again.recordRoutes.flatMap(\.last).flatMap { bench.token($0.uri) } == FlowToken(server: Self.successor))
        table.moved(inviteKey, forwarding, to: server)
        #expect(table.orphans { bench.core.isLiving($0, later) } == [cancelKey])
        later.callServers = []
        servers.renew(later, now: at(1))
        let nowhere = bench.core.secondWay(of: invite, &servers)
        #expect(nowhere?.server == nil)
    }

    @Test("A REGISTER goes on to a registrar; alone, a server that is silent counts as gone")
    func kinds() throws {
        let (register, _, _) = try kept("REGISTER")
        var later = bench.directory
        later.registrars = [.init(instance: "Registrar-2", address: Self.successor, isDraining: false)]
        let lost = KeptRequests.Kept(
            message: register.message, forwarding: register.forwarding, arrival: Self.arrival, server: EdgeBench.registrar)
        var placed = placement(later)
        let way = bench.core.secondWay(of: lost, &placed)
        #expect(way?.server == Self.successor)
        var configuration = bench.core.configuration
        configuration.alone = ProxyCore.Alone(trusted: [], servers: [EdgeBench.callServer, Self.successor])
        let alone = ProxyCore(configuration)
        let servers: Directory.Servers = [
            .init(instance: "a", address: EdgeBench.callServer, isSilent: true), .init(instance: "b", address: Self.successor),
        ]
        placed = placement(Directory(registrars: servers, callServers: servers))
        let elsewhere = alone.secondWay(of: try kept("INVITE").0, &placed)
        #expect(elsewhere?.server == Self.successor)
        let registered = alone.secondWay(of: register, &placed)
        #expect(registered?.server == Self.successor)
    }

    @Test("A server that drains finishes what it has")
    func draining() throws {
        var servers = placement(
            Directory(callServers: [
                .init(instance: "a", address: EdgeBench.callServer, isDraining: true), .init(instance: "b", address: Self.successor),
            ]))
        let same = bench.core.secondWay(of: try kept("INVITE").0, &servers)
        #expect(same?.server == EdgeBench.callServer)
    }
}
