import Addresses
import Contracts
import Deadlines
import SIP
import Testing

@testable import CallServer

@Suite("RELIABILITY §4.3: another edge stands in for a dead one")
struct EdgeTableTests {
    static let (first, second, dead) = (address(8800), address(8900), address(9000))
    static func address(_ port: UInt16) -> SocketAddress { SocketAddress(.loopbackIPv4, port: port) }

    static func edge(_ name: String, _ loops: [SocketAddress], draining: Bool = false) -> EdgeTable.Edge {
        EdgeTable.Edge(instance: name, loops: loops, isDraining: draining)
    }

    static func request(_ route: String?, callID: String = "a@b") -> [UInt8] {
        let routed = route.map { "Route: <\($0)>\r\n" } ?? ""
        return Array(
            ("BYE sip:1001@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:7821;branch=z9hG4bKx\r\n\(routed)Max-Forwards: 70\r\n"
                + "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: \(callID)\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n").utf8)
    }

    static func response(wayBack: Bool) -> [UInt8] {
        Array(
            ("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:9000;branch=z9hG4bKx\(wayBack ? ";tandem=token" : "")\r\n"
                + "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: a@b\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n").utf8)
    }

    @Test(
        "only what was meant for an edge that is gone takes another way",
        arguments: [
            (request("sip:token@127.0.0.1:9000;lr"), dead, true), (request("sip:token@127.0.0.1:8900;lr"), second, false),
            (request("sip:127.0.0.1:9000;lr"), dead, false), (request(nil), dead, false),
            (request("sip:token@127.0.0.1:9001;lr"), dead, false), (response(wayBack: true), dead, true),
            (response(wayBack: false), dead, false), (response(wayBack: true), second, false), (Array("garbage".utf8), dead, false),
        ] as [([UInt8], SocketAddress, Bool)])
    func turnsAside(bytes: [UInt8], destination: SocketAddress, isTurned: Bool) {
        let table = EdgeTable([Self.edge("EdgeProxy-1", [Self.first]), Self.edge("EdgeProxy-2", [Self.second])])
        let next = table.nextHop(of: bytes, to: destination)
        #expect(isTurned ? [Self.first, Self.second].contains(next) : next == destination)
    }

    @Test("with no edge alive everything goes where it was meant to go")
    func alone() {
        #expect(EdgeTable().nextHop(of: Self.request("sip:token@127.0.0.1:9000;lr"), to: Self.dead) == Self.dead)
        let mute = EdgeTable([Self.edge("EdgeProxy-1", [])])
        #expect(mute.nextHop(of: Self.request("sip:token@127.0.0.1:9000;lr"), to: Self.dead) == Self.dead)
    }

    @Test("calls spread over all loops of the living, and over a draining edge only when there is no other")
    func spreads() {
        let loops = [Self.first, Self.address(8801)]
        func chosen(_ table: EdgeTable) -> Set<SocketAddress> {
            Set((0..<64).map { table.nextHop(of: Self.request("sip:token@127.0.0.1:9000;lr", callID: "\($0)@b"), to: Self.dead) })
        }
        let second = Self.edge("EdgeProxy-2", [Self.second], draining: true)
        #expect(chosen(EdgeTable([Self.edge("EdgeProxy-1", loops), Self.edge("EdgeProxy-3", [Self.second])])) == Set(loops + [Self.second]))
        #expect(chosen(EdgeTable([Self.edge("EdgeProxy-1", loops), second])) == Set(loops))
        #expect(chosen(EdgeTable([second])) == [Self.second])
    }
}

@Suite("RFC 5626 §11.1: a phone whose flow failed is found where it registered anew")
struct ReroutingTests {
    static let old = "sip:old@127.0.0.1:9000;lr"
    static let new = "sip:new@127.0.0.1:8800;lr"

    static func binding(_ contact: String, _ path: String, _ instance: String? = nil) -> ReachableBinding {
        ReachableBinding(contact: contact, path: [path], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: instance)
    }

    static let twoFlows = ReachableBinding(
        contact: "sip:a@1", path: [old], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: "i",
        otherFlows: [.init(contact: "sip:a@1", path: [new])])

    @Test(
        "by its instance-id, else by its contact, else because it is the only one; never by the dead flow",
        arguments: [
            ("the dead one only", nil, [binding("sip:a@1", old)], Rerouting.Verdict.wait),
            ("nothing", nil, [], .wait),
            ("same contact", nil, [binding("sip:b@2", "sip:other@h;lr"), binding("sip:a@1", new)], .take([new])),
            ("the only one", nil, [binding("sip:a@1", old), binding("sip:a@9", new)], .take([new])),
            ("two strangers", nil, [binding("sip:b@2", new), binding("sip:c@3", new)], .wait),
            ("same instance", "i", [binding("sip:b@2", "sip:other@h;lr", "j"), binding("sip:a@9", new, "i")], .take([new])),
            ("another instance", "i", [binding("sip:b@2", new, "j")], .wait),
            ("another flow of the same phone (RFC 5626 §7)", "i", [twoFlows], .take([new])),
            ("rings already", nil, [binding("sip:a@1", "sip:rung@h;lr")], .served),
        ] as [(String, String?, [ReachableBinding], Rerouting.Verdict)])
    func chooses(name: String, instance: String?, bindings: [ReachableBinding], verdict: Rerouting.Verdict) {
        let rerouting = Rerouting(
            customer: "cust_1", number: "1002", contact: "sip:a@1", instanceID: instance, deadRoute: Self.old,
            deadline: Instant(nanoseconds: 0), taken: [["sip:rung@h;lr"]])
        #expect(rerouting.choose(among: bindings) == verdict, "\(name)")
    }
}
