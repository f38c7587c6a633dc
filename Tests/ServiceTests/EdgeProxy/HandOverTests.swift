import Addresses
import Cryptography
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: edges hand messages to the one that holds the connection (RFC 5626 §5.3)")
struct HandOverTests {
    /// The phone's own edge.
    private let owner = EdgeBench()
    private let other: EdgeBench
    private static let phone = Arrival(source: EdgeBench.phone, transport: .tls, connection: 5, received: EdgeBench.start)

    init() {
        var other = EdgeBench()
        var configuration = other.core.configuration
        configuration.outside = OutsideAddresses(SocketAddress(.loopbackIPv4, port: 5070))
        configuration.inside = SocketAddress(.loopbackIPv4, port: 15_070)
        configuration.generation = 99
        other.core = ProxyCore(configuration)
        self.other = other
    }

    private var flow: FlowToken {
        FlowToken(flow: EdgeBench.phone, over: .tls, inside: EdgeBench.insideAddress, connection: 5, generation: 7)
    }

    private func invite(body: Int = 0) throws -> Message {
        let route = "Route: <sip:\(flow.sealed(key: owner.core.tokenKey))@\(EdgeBench.insideAddress);lr>"
        let head = try EdgeBench.request("INVITE", more: [route])
        return try Message.parse(head.bytes + [UInt8](repeating: 65, count: body))
    }

    private func handedOver(_ message: Message, by bench: EdgeBench) throws -> Message? {
        var isWritten = false
        let bytes = [UInt8](unsafeUninitializedCapacity: 70_000) { buffer, count in
            var output = OutputSpan(buffer: buffer, initializedCount: 0)
            isWritten = bench.core.writeHandOver(message.view, from: EdgeBench.callServer, into: &output)
            count = output.finalize(for: buffer)
        }
        return isWritten ? try Message.parse(bytes) : nil
    }

    @Test("RFC 3261 §16.11: the owner makes of a request that was handed over what it makes of one that came straight")
    func request() throws {
        let request = try invite()
        let (_, destination) = try EdgeBench.forwarded(other.core.receiveInside(request, from: EdgeBench.callServer))
        #expect(destination == .flow(flow))
        let given = try #require(try handedOver(request, by: other))
        let origin = owner.core.origin(of: given.view, from: other.core.configuration.inside)
        #expect(origin == Origin(server: EdgeBench.callServer, isHandedOver: true))
        let passed = try EdgeBench.forwarded(owner.core.receiveInside(given, from: origin.server))
        let straight = try EdgeBench.forwarded(owner.core.receiveInside(request, from: EdgeBench.callServer))
        #expect(passed.to == straight.to)
        #expect(passed.message.bytes == straight.message.bytes)
        #expect(try EdgeBench.answer(owner.core.flowFailed(given, from: origin.server)).status == 430)
    }

    @Test("A response finds the phone's connection past any edge")
    func response() throws {
        let request = try EdgeBench.request("OPTIONS", toTag: "x", more: [
            "Route: <sip:\(FlowToken(server: EdgeBench.callServer).sealed(key: owner.core.tokenKey))@\(EdgeBench.outsideAddress);lr>"
        ])
        let (inside, _) = try EdgeBench.forwarded(
            owner.core.receiveOutside(request, Self.phone, now: EdgeBench.now, owner.directory))
        let response = try Message.parse(ResponseBuilder(inside, 200, toTag: "cs").serialised())
        let given = try #require(try handedOver(response, by: other))
        #expect(owner.core.origin(of: given.view, from: EdgeBench.registrar).isHandedOver)
        let passed = try EdgeBench.forwarded(owner.core.receiveInside(given, from: EdgeBench.callServer))
        let straight = try EdgeBench.forwarded(owner.core.receiveInside(response, from: EdgeBench.callServer))
        #expect(passed.to == straight.to)
        #expect(passed.message.bytes == straight.message.bytes)
    }

    @Test("Who has not our key cannot speak in another's name, and no header of ours leaves the farm")
    func forged() throws {
        let stranger = SipHash(key: [UInt8](repeating: 9, count: 32))
        let text = String(decoding: try invite().bytes, as: UTF8.self)
        for word in [FlowToken(server: EdgeBench.callServer).sealed(key: stranger), flow.sealed(key: owner.core.tokenKey), "x"] {
            let lie = text.replacing("Via:", with: "X-Tandem-Handed-Over: \(word)\r\nVia:")
            let message = try Message.parse(Array(lie.utf8))
            #expect(owner.core.origin(of: message.view, from: EdgeBench.registrar) == Origin(server: EdgeBench.registrar))
            let passed = try EdgeBench.forwarded(owner.core.receiveInside(message, from: EdgeBench.registrar)).message
            #expect(passed.value(named: "X-Tandem-Handed-Over") == nil)
        }
    }

    @Test("RFC 768: what no datagram carries is not handed over, what one carries is")
    func tooLong() throws {
        #expect(try handedOver(invite(body: 60_000), by: other) != nil)
        #expect(try handedOver(invite(body: 65_000), by: other) == nil)
    }

    @Test("RFC 3261 §18.3: over a connection the longest of messages is handed over, and says how long it is")
    func overStream() throws {
        let head = try invite()
        let longest = try Message.parse(head.bytes + [UInt8](repeating: 65, count: Limits.outside.messageLength - head.bytes.count))
        #expect(!longest.contains(.contentLength))
        var framer = MessageFramer()
        let bytes = other.core.handOver(longest.view, from: EdgeBench.callServer)
        framer.append(try #require(bytes))
        guard case .message(let given)? = try framer.next() else { throw EdgeBench.Unexpected(what: "no message") }
        #expect(given.body == longest.body)
        let origin = owner.core.origin(of: given.view, from: other.core.configuration.inside)
        #expect(origin == Origin(server: EdgeBench.callServer, isHandedOver: true))
        #expect(try EdgeBench.forwarded(owner.core.receiveInside(given, from: origin.server)).to == .flow(flow))
    }

    @Test("Only loops of this process and edges that live are asked; without a fleet everyone who signed, unless nobody listens there")
    func neighbours() {
        let (near, far, dead) = (EdgeBench.insideAddress, EdgeBench.registrar, EdgeBench.callServer)
        let start = Instant(nanoseconds: 1_000_000_000)
        var known = Neighbours(siblings: [near], living: [far])
        func asked(_ loop: SocketAddress, _ milliseconds: Int = 0) -> Bool { known.include(loop, now: start + .milliseconds(milliseconds)) }
        #expect(asked(near) && asked(far) && !asked(dead))
        known = Neighbours(siblings: [near])
        #expect(asked(dead))
        known.refused(dead, now: start)
        #expect(!asked(dead, 1_999) && asked(dead, 2_000) && asked(near))
    }

    @Test("RFC 3261 §16.12: a request in a dialog that one edge has recorded goes the same way through another")
    func dialogThroughAnother() throws {
        let (invite, _) = try EdgeBench.forwarded(try owner.authenticated("INVITE"))
        let routes = try #require(invite.recordRoutes).reversed().map { "Route: <\($0.uri)>" }
        for method in ["BYE", "ACK", "INVITE"] {
            let request = try EdgeBench.request(method, toTag: "cs", more: routes)
            let (inside, destination) = try EdgeBench.forwarded(other.outside(request))
            #expect(destination == .server(EdgeBench.callServer))
            #expect(inside.topmostVia?.responseAddress == other.core.configuration.inside)
        }
        // Its first entry alone, the way to a phone, is no way in and none to anybody else.
        let toPhone = try EdgeBench.request("INVITE", toTag: "cs", more: [routes[1]])
        #expect(try EdgeBench.answer(other.outside(toPhone)).status == 407)
    }
}
