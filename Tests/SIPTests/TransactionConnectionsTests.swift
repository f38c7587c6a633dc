import Addresses
import Deadlines
import SIP
import Testing

@Suite("TransactionLayer: datagrams, and connections for what is too long (RFC 3261 §18)")
struct TransactionConnectionsTests {
    private static let bye = RequestBuilder(
        .bye, uri: URI(user: "bob", callee), from: NameAddress(URI(user: "alice", caller)), to: NameAddress(URI(user: "bob", callee)),
        callID: "call-1", cseq: 2)

    private static func layer(longest: Int) -> TransactionLayer {
        var layer = TransactionLayer(sentBy: caller, seed: 1)
        layer.longestDatagram = longest
        return layer
    }

    private static func only(_ outbox: Outbox) throws -> (datagram: Outbox.Datagram, via: Via) {
        #expect(outbox.datagrams.count == 1)
        let datagram = try #require(outbox.datagrams.first)
        return (datagram, try #require(try Message.parse(datagram.bytes).topmostVia))
    }

    @Test("§18.1.1: longer than a datagram may be, a request goes over the connection there is, with a Via that says so")
    func longRequest() throws {
        var outbox = Outbox()
        var layer = Self.layer(longest: 100)
        layer.connected = [callee]
        _ = layer.request(Self.bye, to: callee, now: .ms(0), into: &outbox)
        let (datagram, via) = try Self.only(outbox)
        #expect(datagram.to == callee)
        #expect(datagram.connection == callee)
        #expect(via.transport == "TCP")
        #expect(via.sentBy == caller.description)
    }

    @Test("A short request, or one to somebody else, or one without a connection is a datagram", arguments: [0, 1, 2])
    func datagram(_ reason: Int) throws {
        var outbox = Outbox()
        var layer = Self.layer(longest: reason == 0 ? 1_300 : 100)
        layer.connected = [[callee], [caller], []][reason]
        _ = layer.request(Self.bye, to: callee, now: .ms(0), into: &outbox)
        let (datagram, via) = try Self.only(outbox)
        #expect(datagram.connection == nil)
        #expect(via.transport == "UDP")
    }

    @Test("§18.1.1: when the connection is gone the request is repeated as a datagram, and back over the next one, as one transaction")
    func connectionEnds() throws {
        var outbox = Outbox()
        var layer = Self.layer(longest: 100)
        layer.connected = [callee]
        let id = layer.request(Self.bye, to: callee, now: .ms(0), into: &outbox)
        let first = try Self.only(outbox)
        outbox.removeAll()
        layer.connected = []
        layer.expire(now: .ms(500), into: &outbox)
        let second = try Self.only(outbox)
        #expect(second.datagram.connection == nil)
        #expect(second.via.transport == "UDP")
        #expect(second.via.branch == first.via.branch)
        outbox.removeAll()
        layer.connected = [callee]
        layer.expire(now: .ms(1_500), into: &outbox)
        let third = try Self.only(outbox)
        #expect(third.datagram.bytes == first.datagram.bytes)
        outbox.removeAll()
        let response = ResponseBuilder(try Message.parse(second.datagram.bytes), 200, toTag: "b").serialised()
        layer.receive(try Message.parse(response), from: callee, now: .ms(1_600), into: &outbox)
        guard case .response(_, let answered)? = outbox.events.first else { throw Pair.Missing() }
        #expect(answered == id)
    }

    @Test("§18.2.2: the responses to a request from a connection go back over it, or else to the port of sent-by")
    func responseOverConnection() throws {
        var outbox = Outbox()
        var layer = TransactionLayer(sentBy: callee, seed: 2)
        let source = SocketAddress(caller.address, port: 40_000)
        let request = try parsed(invite.replacing("/UDP 127.0.0.1:5070;", with: "/TCP 127.0.0.1:5070;rport;"))
        layer.receive(request, from: source, over: .tcp, now: .ms(0), into: &outbox)
        guard case .request(let message, let id, _)? = outbox.events.first else { throw Pair.Missing() }
        layer.respond(id, ResponseBuilder(message, 486, toTag: "b"), now: .ms(1), into: &outbox)
        #expect(outbox.datagrams.map(\.connection) == [source, source])
        #expect(outbox.datagrams.map(\.to) == [caller, caller])
    }

    @Test("A long response to a datagram goes over the connection to whoever asked, a short one as a datagram")
    func longResponse() throws {
        var outbox = Outbox()
        var layer = Self.layer(longest: 400)
        layer.connected = [caller]
        layer.receive(try parsed(invite), from: caller, now: .ms(0), into: &outbox)
        guard case .request(let message, let id, _)? = outbox.events.first else { throw Pair.Missing() }
        var response = ResponseBuilder(message, 200, toTag: "b")
        response.body = [UInt8](repeating: 0x78, count: 500)
        layer.respond(id, response, now: .ms(1), into: &outbox)
        #expect(outbox.datagrams.map(\.connection) == [nil, caller])
    }
}
