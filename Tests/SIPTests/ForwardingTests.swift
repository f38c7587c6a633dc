import Addresses
import SIP
import Testing

@Suite("Forwarding: a proxy changes what it names and nothing else")
struct ForwardingTests {
    private let original = """
        BYE sip:bob@127.0.0.1:5080 SIP/2.0
        v:  SIP/2.0/UDP a:5070;received=6.6.6.6;branch=z9hG4bK1;rport ,  SIP/2.0/UDP b;branch=z9hG4bK2
        X-Strange :  ;;,,  "un\\"usual"
           folded\twith tab
        Via: SIP/2.0/TCP c;branch=z9hG4bK3
        Route: <sip:one;lr>, <sip:two;lr>
        Route: <sip:three;lr>
        f: <sip:alice@a>;tag=1
        t: <sip:bob@b>;tag=2
        i: forwarding
        CSeq: 2 BYE
        Max-Forwards: 70
        X-Tandem-Customer: 1
        x-tandem-Other: 2
        P-Asserted-Identity: <sip:liar@x>
        Remote-Party-ID: <sip:liar@x>
        l: 2

        hi
        """

    private func again(_ message: Message, _ forwarding: Forwarding) throws -> Message {
        try Message.parse(try forwarded(message, forwarding))
    }

    private func via(_ hop: Forwarding.Hop) -> String {
        "Via: SIP/2.0/UDP \(callee);branch=\(hop.branch.text);rport;tandem=\(hop.wayBack.sealed(key: proxyKey))"
    }

    @Test("§16.6, RFC 3581 §4: the way of a request through a proxy")
    func request() throws {
        let message = try parsed(original)
        let ours = try #require(hop(message))
        var forwarding = Forwarding(hop: ours, stripping: .assertions)
        forwarding.source = SocketAddress(IPAddress(v4: 0x7f00_0009), port: 9)
        (forwarding.maxForwards, forwarding.poppedRoutes) = (69, 1)
        forwarding.identity = Forwarding.Identity(user: "a b", domain: "x", customer: "cus_1")
        let expected = """
            BYE sip:bob@127.0.0.1:5080 SIP/2.0
            \(via(ours))
            v:  SIP/2.0/UDP a:5070;branch=z9hG4bK1;received=127.0.0.9;rport=9 ,  SIP/2.0/UDP b;branch=z9hG4bK2
            X-Strange :  ;;,,  "un\\"usual"
               folded\twith tab
            Via: SIP/2.0/TCP c;branch=z9hG4bK3
            Route: <sip:two;lr>
            Route: <sip:three;lr>
            f: <sip:alice@a>;tag=1
            t: <sip:bob@b>;tag=2
            i: forwarding
            CSeq: 2 BYE
            Max-Forwards: 69
            l: 2
            P-Asserted-Identity: <sip:a%20b@x>
            X-Tandem-Customer: cus_1

            hi
            """
        #expect(text(try forwarded(message, forwarding)) == text(wire(expected)))
    }

    @Test("Popping routes goes on to the next line, and removes empty ones", arguments: [(0, 3), (1, 2), (2, 1), (3, 0), (.max, 0)])
    func routes(popped: Int, left: Int) throws {
        let message = try parsed(original)
        var forwarding = Forwarding(hop: hop(message), stripping: .privateOnly)
        forwarding.poppedRoutes = popped
        let again = try again(message, forwarding)
        #expect(again.routes?.map(\.uri.host) == Array(["one", "two", "three"].suffix(left)))
        #expect(again.contains(.remotePartyID), "a trusted side may assert")
    }

    @Test("§16.7 step 3: of a response the topmost Via is taken off, wherever it stands")
    func response() throws {
        for (first, left) in [("a;branch=z9hG4bK1, SIP/2.0/UDP b", ["b"]), ("a\nVia: SIP/2.0/UDP b", ["b"]), ("a", [])] {
            let message = try parsed("SIP/2.0 200 OK\nVia: SIP/2.0/UDP \(first)\nX-Tandem-Flow: x\nl: 0\n\n")
            let again = try again(message, Forwarding(hop: nil, stripping: .privateOnly))
            #expect(again.vias?.map(\.sentBy) == left)
            #expect(again.value(named: "X-Tandem-Flow") == nil)
        }
    }

    @Test("RFC 5658: the upper Record-Route stands first, above those that are there; a missing Content-Length is added")
    func recording() throws {
        let upper = Forwarding.Route(FlowToken(server: callee), at: caller)
        let lower = Forwarding.Route(FlowToken(server: caller), at: callee, over: .wss)
        for others in ["", "Record-Route: <sip:other;lr>\n"] {
            let message = try parsed(invite.replacing("Content-Length: 4\n", with: others))
            var forwarding = Forwarding(hop: hop(message), stripping: .assertions)
            forwarding.recording = .routes(upper: upper, lower: lower)
            let again = try again(message, forwarding)
            #expect(again.recordRoutes?.prefix(2).map(\.uri.socketAddress) == [caller, callee])
            #expect(again.recordRoutes?.count == (others.isEmpty ? 2 : 3))
            #expect(again.recordRoutes?[1].uri.parameters["transport"] == "ws")
            #expect(again.value(.contentLength) == String(again.body.count))
        }
    }

    @Test("What does not fit where it is to be written is not written at all")
    func noRoom() throws {
        let message = try parsed(invite)
        let forwarding = Forwarding(hop: hop(message), stripping: .assertions)
        let bytes = [UInt8](unsafeUninitializedCapacity: message.bytes.count + 100) { buffer, count in
            var output = OutputSpan(buffer: buffer, initializedCount: 0)
            #expect(!forwarding.write(message.view, into: &output, key: proxyKey))
            count = output.finalize(for: buffer)
        }
        #expect(bytes.isEmpty)
    }

    @Test("A value with a line end cannot smuggle a header into a new message")
    func injection() {
        var writer = MessageWriter(response: 200, reason: "O\r\nK: 1")
        writer.header(.to, "x\r\nEvil: 1")
        #expect(text(writer.finish()) == "SIP/2.0 200 O  K: 1\r\nTo: x  Evil: 1\r\nContent-Length: 0\r\n\r\n")
    }
}
