import Addresses
import Cryptography
import SIP
import Testing

@Suite("FlowToken and stateless forwarding (RFC 5626 §5.2, RFC 3261 §16.11)")
struct FlowTokenTests {
    private let key = FlowTokenTests.key(7)

    static func key(_ byte: UInt8) -> SipHash { SipHash(key: [UInt8](repeating: byte, count: 16)) }

    private let tokens: [FlowToken] = [
        FlowToken(flow: caller, over: .udp, inside: callee),
        FlowToken(flow: caller, over: .tcp, inside: callee, connection: 70_000, generation: .max),
        FlowToken(
            flow: SocketAddress(IPAddress(v6High: 0x2001_0db8_0000_0000, v6Low: 1), port: 5061), over: .wss, inside: callee,
            connection: 1),
        FlowToken(server: callee), FlowToken(edge: callee), FlowToken(server: callee, connectedFrom: 40_000),
        FlowToken(server: SocketAddress(IPAddress(v6High: 1, v6Low: 2), port: 1)),
    ]

    @Test("What was sealed is read again, and fits into the user part of a URI as it is")
    func roundTrip() throws {
        for token in tokens {
            let sealed = token.sealed(key: key)
            #expect(FlowToken(verifying: sealed, key: key) == token)
            #expect(URI.escapedUser(sealed) == sealed)
            #expect(sealed.utf8.count <= 80)
        }
        #expect(tokens[0].sealed(key: key).utf8.count <= 36)
    }

    @Test("Nothing forged is believed: another key, any bit changed, any length")
    func forgery() {
        for token in tokens {
            let sealed = token.sealed(key: key)
            #expect(FlowToken(verifying: sealed, key: Self.key(8)) == nil)
            for index in sealed.indices {
                for replacement in ["A", "B", "_", "!"] where String(sealed[index]) != replacement {
                    var forged = sealed
                    forged.replaceSubrange(index...index, with: replacement)
                    // The last character can carry bits that mean nothing; those change no byte.
                    if let read = FlowToken(verifying: forged, key: key) {
                        #expect(read == token && index == sealed.indices.last)
                    }
                }
                #expect(FlowToken(verifying: sealed[..<index], key: key) == nil)
            }
            #expect(FlowToken(verifying: sealed + "A", key: key) == nil)
        }
        #expect(FlowToken(verifying: String(repeating: "A", count: 5_000), key: key) == nil)
    }

    @Test("§16.11: the same request gives the same branch; so do its CANCEL and the ACK of its failure")
    func branches() throws {
        func branch(_ text: String, key: UInt8 = 5) throws -> String? { hop(try parsed(text), key: Self.key(key))?.branch.text }
        let branch1 = try #require(try branch(invite))
        #expect(branch1.hasPrefix("z9hG4bK"))
        #expect(try branch(invite) == branch1)
        #expect(try branch(invite, key: 6) != branch1)
        for method in ["ACK", "CANCEL"] { #expect(try branch(invite.replacing("INVITE", with: method)) == branch1) }
        #expect(try branch(invite.replacing("nashds8", with: "nashds9")) != branch1)
        let old = invite.replacing("z9hG4bKnashds8", with: "1")
        #expect(try branch(old) == branch(old.replacing("INVITE", with: "CANCEL")))
        #expect(try branch(old) != branch(old.replacing("314159", with: "2")))
    }

    @Test("RFC 3581: a stamped message says where it came from and is otherwise the same")
    func stamped() throws {
        let message = try parsed(invite.replacing(";branch", with: ";rport;branch"))
        let stamped = message.stamped(source: callee)
        #expect(stamped.topmostVia?.responseAddress == callee)
        #expect(
            text(stamped.bytes)
                == text(message.bytes).replacing(
                    "rport;branch=z9hG4bKnashds8", with: "rport=5080;branch=z9hG4bKnashds8;received=127.0.0.1"))
    }

    @Test("RFC 3261 §18.2.1, RFC 3581 §4: a response says where its request came from, though the request cannot be read", arguments: [
        ("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=a", "SIP/2.0/UDP 192.0.2.1:5060;received=127.0.0.1;rport=5080;branch=a"),
        ("SIP/2.0/UDP phone.example;branch=a", "SIP/2.0/UDP phone.example;received=127.0.0.1;branch=a"),
        ("SIP/2.0/UDP h;received=192.0.2.9;branch=a;rport=9", "SIP/2.0/UDP h;received=127.0.0.1;rport=5080;branch=a"),
        ("SIP/2.0/UDP 127.0.0.1;branch=a;received=192.0.2.9", "SIP/2.0/UDP 127.0.0.1;branch=a"),
        ("SIP/2.0/UDP 127.0.0.1;branch=a", "SIP/2.0/UDP 127.0.0.1;branch=a"),
        ("SIP/2.0/UDP 192.0.2.1;rport;branch=a;bad=\"", "SIP/2.0/UDP 192.0.2.1;received=127.0.0.1;rport=5080;branch=a;bad=\""),
        ("SIP/7.1/UDP 192.0.2.1 : 5060 ;rport, SIP/2.0/UDP far;rport", "SIP/7.1/UDP 192.0.2.1 : 5060;received=127.0.0.1;rport=5080"),
    ])
    func refusedUnread(via: String, stamped: String) throws {
        let lines = "OPTIONS sip:x SIP/2.0\nVia: \(via)\nVia: SIP/2.0/UDP further;rport\nFrom: <sip:a@b>;tag=1\nTo: <sip:x>\nCall-ID: 1\nCSeq: 1 OPTIONS\nno header\n\n"
        let bytes = wire(lines)
        var index = MessageIndex()
        #expect(throws: ParseError.badHeaderLine) { try index.read(bytes.span) }
        guard let view = index.view(of: bytes.span) else { throw ParseError.badStartLine }
        var response = ResponseBuilder(view.message(), 400)
        response.source = callee
        let answer = try Message.parse(response.serialised())
        #expect(answer.values(.via).first == stamped)
        #expect(answer.values(.via).last == "SIP/2.0/UDP further;rport")
    }
}
