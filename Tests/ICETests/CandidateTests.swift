import Addresses
import ICE
import Testing

@Suite("ICE: candidates (RFC 8839 §5.1)")
struct CandidateTests {
    private func parse(_ text: String) -> Result<Candidate, CandidateError> {
        Result { () throws(CandidateError) in try Candidate(parsing: text) }
    }

    @Test("what browsers and others write is read, whatever stands behind it")
    func read() throws {
        let candidate = try parse(
            "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 50000 generation 0 ufrag EsAw "
                + "network-cost 999"
        ).get()
        #expect(candidate.foundation == "842163049" && candidate.component == .rtp && candidate.priority == 1_677_729_535)
        #expect(candidate.address == SocketAddress("203.0.113.7:46154") && candidate.kind == .serverReflexive)
        #expect(candidate.relatedAddress == SocketAddress("10.0.0.5:50000") && candidate.fragment == "EsAw")
        let six = try parse("a=candidate:1 2 UDP 2130706431 2001:db8::1 9 typ host").get()
        #expect(six.address == SocketAddress("[2001:db8::1]:9") && six.component == .rtcp && six.relatedAddress == nil)
    }

    @Test(
        "what is printed is read again as the same",
        arguments: [
            "1 1 udp 2130706431 192.0.2.1 30000 typ host", "a+/9 2 udp 1 2001:db8::1 65535 typ relay raddr 192.0.2.9 rport 0",
            "1 1 udp 2147483647 192.0.2.1 1 typ prflx ufrag abcd",
        ])
    func printed(text: String) throws {
        let candidate = try parse(text).get()
        #expect(candidate.description == text)
        #expect(try parse(candidate.description).get() == candidate)
    }

    @Test(
        "what cannot be used is passed over, with the reason",
        arguments: [
            ("1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active", CandidateError.otherTransport),
            ("1 1 ssltcp 1 192.0.2.7 9 typ host", .otherTransport),
            ("1 1 udp 2122260223 7c9d8a5e-1f3b.local 46243 typ host", .name), ("1 1 udp 1 fe80::1%eth0 9 typ host", .name),
            ("1 1 udp 1 192.0.2.1 9 typ future", .otherKind), ("1 1 udp 1 0.0.0.0 9 typ host", .unusableAddress),
            ("1 1 udp 1 :: 9 typ host", .unusableAddress), ("1 1 udp 1 192.0.2.1 0 typ host", .unusableAddress),
            ("1 1 udp 1 239.1.2.3 9 typ host", .unusableAddress), ("1 1 udp 1 255.255.255.255 9 typ host", .unusableAddress),
            ("1 1 udp 1 ff02::1 9 typ host", .unusableAddress), ("1 1 udp 1 ::ffff:0.0.0.0 9 typ host", .unusableAddress),
            ("", .malformed), ("1 1 udp 1 192.0.2.1 9 typ", .malformed), ("1 1 udp 1 192.0.2.1 9 kind host", .malformed),
            ("1 0 udp 1 192.0.2.1 9 typ host", .malformed), ("1 257 udp 1 192.0.2.1 9 typ host", .malformed),
            ("1 1 udp 0 192.0.2.1 9 typ host", .malformed), ("1 1 udp 2147483648 192.0.2.1 9 typ host", .malformed),
            ("1 1 udp 99999999999999999999 192.0.2.1 9 typ host", .malformed), ("1 1 udp -1 192.0.2.1 9 typ host", .malformed),
            ("1 1 udp 1 192.0.2.1 65536 typ host", .malformed), ("f!o 1 udp 1 192.0.2.1 9 typ host", .malformed),
            ("123456789012345678901234567890123 1 udp 1 192.0.2.1 9 typ host", .malformed),
            ("1 1 udp 1 192.0.2.1 9 typ host raddr", .malformed),
        ])
    func passedOver(text: String, error: CandidateError) {
        #expect(parse(text) == .failure(error))
    }

    @Test("RFC 8445 §5.1.2.1: the priority of a host's only address, and of its RTCP")
    func priorities() throws {
        let address = try #require(SocketAddress("192.0.2.1:30000"))
        #expect(Candidate(address).priority == 2_130_706_431)
        #expect(Candidate(address, component: .rtcp).priority == 2_130_706_430)
        #expect(Candidate(address, kind: .relayed, preference: 0).priority == 255)
    }

    @Test("RFC 8445 §5.1.1.3: one foundation for a kind and an address, another for every other")
    func foundations() throws {
        let (first, second) = try (#require(SocketAddress("192.0.2.1:1")), #require(SocketAddress("192.0.2.1:2")))
        let other = try #require(SocketAddress("192.0.2.2:1"))
        #expect(Candidate(first).foundation == Candidate(second, component: .rtcp).foundation)
        #expect(Candidate(first).foundation != Candidate(other).foundation)
        #expect(Candidate(first).foundation != Candidate(first, kind: .serverReflexive).foundation)
    }

    @Test("RFC 7983 §7, RFC 5761 §4: every first octet has one meaning")
    func multiplexed() {
        func kind(_ bytes: [UInt8]) -> Multiplexed { Multiplexed(bytes.span) }
        #expect(kind([]) == .unknown)
        for octet in UInt8.min...UInt8.max {
            let expected: Multiplexed =
                switch octet {
                case 0...3: .stun
                case 16...19: .zrtp
                case 20...63: .dtls
                case 64...79: .turnChannel
                case 128...191: .rtp
                default: .unknown
                }
            #expect(kind([octet]) == expected && kind([octet, 0x60]) == expected)
        }
        for second in UInt8.min...UInt8.max { #expect(kind([0x80, second]) == ((192...223).contains(second) ? .rtcp : .rtp)) }
    }

    @Test("RFC 8839 §5.4: credentials have their lengths and letters, and new ones are new")
    func credentials() {
        let password = String(repeating: "p", count: 22)
        #expect(Credentials(fragment: "ab+/", password: password) != nil)
        for bad in ["abc", "ab c", "ab=c", "äbcd", String(repeating: "x", count: 257)] {
            #expect(Credentials(fragment: bad, password: password) == nil)
        }
        #expect(Credentials(fragment: "abcd", password: String(password.dropLast())) == nil)
        let made = Credentials(random: (1, 2, 3))
        #expect(Credentials(fragment: made.fragment, password: made.password) == made && made.password.utf8.count == 24)
        #expect(made != Credentials(random: (1, 2, 4)) && made != Credentials(random: (2, 2, 3)))
    }
}
