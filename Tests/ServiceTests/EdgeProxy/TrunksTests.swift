import Addresses
import Foundation
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: trunks")
struct TrunksTests {
    private func trunks(_ json: String) throws -> Trunks {
        try Trunks(JSONDecoder().decode([TrunkEntry].self, from: Data(json.utf8)), domain: "demo.localhost")
    }

    private let md5 = String(repeating: "a", count: 32)

    @Test(
        "The closest block of addresses decides",
        arguments: [
            ("192.0.2.77", "wide"), ("192.0.2.129", "narrow"), ("192.0.2.130", "host"), ("192.0.2.131", "narrow"),
            ("192.0.3.1", nil), ("2001:db8::1", "six"), ("2001:db9::1", nil), ("::c000:24d", nil), ("0.0.0.0", nil),
            ("255.255.255.255", nil), ("::ffff:192.0.2.77", "wide"),
        ])
    func addresses(_ text: String, _ expected: String?) throws {
        let trunks = try trunks(
            """
            [{"name": "wide", "customer": "c1", "addresses": ["192.0.2.0/24", "203.0.113.5"]},
             {"name": "narrow", "customer": "c2", "addresses": ["192.0.2.128/25"]},
             {"name": "host", "customer": "c3", "addresses": ["192.0.2.130"]},
             {"name": "six", "customer": "c4", "addresses": ["2001:db8::/32"]}]
            """)
        #expect(trunks.trunk(at: try #require(IPAddress(text)), over: .udp)?.name == expected)
    }

    @Test("An address proves a trunk only over the transports it is trusted on, and never a browser")
    func transports() throws {
        let trunks = try trunks(
            """
            [{"name": "any", "customer": "c", "addresses": ["192.0.2.1"]},
             {"name": "tls", "customer": "c", "addresses": ["192.0.2.2"], "transports": ["TLS", "tcp"]}]
            """)
        func names(_ text: String) throws -> [String?] {
            let address = try #require(IPAddress(text))
            return [Transport.udp, .tcp, .tls, .wss].map { trunks.trunk(at: address, over: $0)?.name }
        }
        #expect(try names("192.0.2.1") == ["any", "any", "any", nil])
        #expect(try names("192.0.2.2") == [nil, "tls", "tls", nil])
    }

    @Test("Names of certificates are compared without case; a name nobody has is nobody's")
    func names() throws {
        let trunks = try trunks(#"[{"name": "a", "customer": "c", "tls_names": ["SIP.Example.net"]}]"#)
        #expect(trunks.trunk(tlsName: "sip.example.NET")?.customer == "c")
        #expect(trunks.trunk(tlsName: "example.net") == nil)
        #expect(trunks.trunk(tlsName: "") == nil)
    }

    @Test("Digest credentials of a trunk are found by user and domain")
    func accounts() throws {
        let trunks = try trunks(#"[{"name": "a", "customer": "c", "username": "peer", "ha1_md5": "\#(md5)"}]"#)
        #expect(trunks.trunk(account: .init(user: "peer", domain: "demo.localhost"))?.account?.md5 == md5)
        #expect(trunks.trunk(account: .init(user: "peer", domain: "other.example")) == nil)
        let hashed = Digest.userHash(user: "peer", realm: "demo.localhost", .sha256)
        #expect(trunks.trunk(account: .init(user: hashed, domain: "demo.localhost"))?.name == "a")
        #expect(trunks.hasAccounts(in: "demo.localhost") && !trunks.hasAccounts(in: "other.example"))
    }

    @Test(
        "What is ambiguous, open to everybody or useless is refused as a whole, and the message names the trunk",
        arguments: [
            #"[{"name": "a", "customer": "c"}]"#,
            #"[{"name": "a b", "customer": "c", "addresses": ["192.0.2.1"]}]"#,
            #"[{"name": "a", "customer": "c\r\nX: y", "addresses": ["192.0.2.1"]}]"#,
            #"[{"name": "a", "customer": "", "addresses": ["192.0.2.1"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["0.0.0.0/0"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["::/0"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["192.0.2.1/33"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["sip.example.net"]}]"#,
            #"[{"name": "a", "customer": "c", "username": "u"}]"#,
            #"[{"name": "a", "customer": "c", "domain": "x\r\ny", "addresses": ["192.0.2.1"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["192.0.2.1"], "transports": ["wss"]}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["192.0.2.1"], "transports": []}]"#,
            #"[{"name": "a", "customer": "c", "username": "u", "ha1_md5": "12"}]"#,
            #"[{"name": "a", "customer": "c", "addresses": ["192.0.2.1"]}, {"name": "a", "customer": "d", "tls_names": ["x"]}]"#,
            #"[{"name": "b", "customer": "c", "addresses": ["192.0.2.9/24"]}, {"name": "a", "customer": "d", "addresses": ["192.0.2.0/24"]}]"#,
            #"[{"name": "b", "customer": "c", "tls_names": ["x"]}, {"name": "a", "customer": "d", "tls_names": ["X"]}]"#,
        ])
    func mistakes(_ json: String) throws {
        let error = #expect(throws: TrunkMistake.self) { try trunks(json) }
        #expect(error?.description.hasPrefix("trunk a") == true)
    }

    @Test("Without trunks nobody is one")
    func none() throws {
        #expect(Trunks().isEmpty)
        #expect(Trunks().trunk(at: .loopbackIPv4, over: .udp) == nil)
    }
}
