import Addresses
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("RFC 3261 §16.11: what belongs to a call follows its INVITE, whatever became of the other servers")
struct PlacementTests {
    private static let start = Instant(nanoseconds: 5_000_000_000)
    private static let servers = (0..<6).map {
        Directory.Server(instance: "CallServer-\($0)", address: SocketAddress(.loopbackIPv4, port: UInt16(7_800 + $0)))
    }
    private let bench = EdgeBench()

    private static func directory(_ servers: [Directory.Server]) -> Directory {
        Directory(callServers: Directory.Servers(servers))
    }

    /// Where the phone's request goes.
    private func place(_ method: String, _ callID: String, _ servers: inout Placement) throws -> SocketAddress {
        let judgement =
            switch method {
            case "INVITE": try bench.authenticated(method, &servers, callID: callID)
            default:
                bench.core.receiveOutside(
                    try EdgeBench.request(method, toTag: method == "ACK" ? "callee" : nil, callID: callID), bench.arrival,
                    now: EdgeBench.now, &servers)
            }
        guard case .server(let address) = try EdgeBench.forwarded(judgement).to else {
            throw EdgeBench.Unexpected(what: "to no server")
        }
        return address
    }

    private static let changes = ["a server joins", "its server drains", "another dies"]

    @Test("CANCEL, the ACK of a failure and the repeated INVITE go where the INVITE went when servers come and go", arguments: changes)
    func follows(_ change: String) throws {
        let now = Self.start + .seconds(1)
        for number in 0..<40 {
            let callID = "call-\(number)"
            var servers = Placement(Self.directory(Array(Self.servers.prefix(3))), recentDialogs: 1_024, now: Self.start)
            let first = try place("INVITE", callID, &servers)
            let changed: [Directory.Server] =
                switch change {
                case "a server joins": Self.servers
                case "its server drains":
                    Self.servers.prefix(3).map {
                        Directory.Server(instance: "x\($0.address)", address: $0.address, isDraining: $0.address == first)
                    }
                default: Self.servers.filter { $0.address == first }
                }
            servers.renew(Self.directory(changed), now: now)
            for method in ["CANCEL", "ACK", "INVITE"] { #expect(try place(method, callID, &servers) == first) }
        }
    }

    @Test("a new call goes where rendezvous says, never to a server that drains")
    func newCalls() throws {
        var servers = Placement(Self.directory(Array(Self.servers.prefix(2))), recentDialogs: 1_024, now: Self.start)
        let draining = Self.servers.prefix(2).map {
            Directory.Server(instance: "CallServer-\($0.address.port)", address: $0.address, isDraining: $0 == Self.servers[0])
        }
        servers.renew(Self.directory(draining), now: Self.start)
        for number in 0..<40 { #expect(try place("INVITE", "new-\(number)", &servers) == Self.servers[1].address) }
    }

    @Test("the calls of a dead or silent server are placed anew at once, and stay where they were placed", arguments: [true, false])
    func death(isListed: Bool) throws {
        for number in 0..<40 {
            let callID = "call-\(number)"
            var servers = Placement(Self.directory(Self.servers), recentDialogs: 1_024, now: Self.start)
            let first = try place("INVITE", callID, &servers)
            let left =
                isListed
                ? Self.servers.map { Directory.Server(instance: "x", address: $0.address, isSilent: $0.address == first) }
                : Self.servers.filter { $0.address != first }
            servers.renew(Self.directory(left), now: Self.start)
            let second = try place("INVITE", callID, &servers)
            #expect(second != first)
            servers.renew(Self.directory(Self.servers), now: Self.start)
            for method in ["CANCEL", "ACK", "INVITE"] { #expect(try place(method, callID, &servers) == second) }
        }
    }

    @Test("after 64*T1 a Call-ID is placed as a new one is")
    func forgotten() throws {
        for number in 0..<20 {
            let callID = "call-\(number)"
            var servers = Placement(Self.directory(Array(Self.servers.prefix(1))), recentDialogs: 1_024, now: Self.start)
            _ = try place("INVITE", callID, &servers)
            servers.renew(Self.directory(Self.servers), now: Self.start + .seconds(40))
            let hash = try #require(EdgeBench.request("INVITE", callID: callID).callIDHash)
            #expect(try place("INVITE", callID, &servers) == servers.directory.callServers.pick(callID: hash))
        }
    }
}
