import ChildProcesses
import Foundation
import SIP
import Suite
import TLS
import Testing

/// An edge by itself, with certificates made for the test.
@Suite("The edge over TLS", .timeLimit(.minutes(2)))
struct EdgeTLSTests {
    private static let nobody: UInt16 = 9

    private func options(_ agent: StreamAgent, _ sequence: Int, edge: LoneEdge) -> [String] {
        [
            "OPTIONS sip:127.0.0.1:\(edge.port) SIP/2.0",
            "Via: SIP/2.0/\(agent.transport.name) 127.0.0.1:\(agent.port);branch=z9hG4bK\(agent.port)-\(sequence)",
            "From: <sip:alice@example.org>;tag=alice", "To: <sip:127.0.0.1:\(edge.port)>", "Call-ID: options-\(agent.port)",
            "CSeq: \(sequence) OPTIONS", "Max-Forwards: 70",
        ]
    }

    private func isServed(_ agent: StreamAgent, _ sequence: Int, _ edge: LoneEdge) async throws -> Bool {
        try agent.send(options(agent, sequence, edge: edge))
        return try await agent.receive("the answer") { $0.cseq?.number == UInt32(sequence) }.status == 200
    }

    @Test("RFC 6066 §3, RFC 5922 §7.1: the certificate for the name that is asked for; clients are asked for theirs")
    func certificates() async throws {
        let (first, second) = (try TestIdentity(), try TestIdentity("second", names: "DNS:second.example"))
        let authority = try TestIdentity("authority", names: nil)
        let trunk = try TestIdentity("trunk", names: "DNS:trunk.example", signedBy: authority)
        let edge = try await LoneEdge(
            servers: [Self.nobody],
            environment: [
                "TANDEM_TLS_CERTIFICATE": "\(first.certificate),\(second.certificate)", "TANDEM_TLS_KEY": "\(first.key),\(second.key)",
                "TANDEM_TLS_CLIENT_CA": authority.certificate, "TANDEM_TLS_CLIENT_REQUIRED": "true",
            ])
        let identity = TLSContext.Identity(certificate: trunk.certificate, key: trunk.key)
        for (shown, name) in [(first, "localhost"), (second, "second.example")] {
            for transport in [Transport.tls, .wss] {
                let agent = try await StreamAgent(
                    to: edge.port(of: transport), over: transport, tls: TLSContext.client(trusting: shown.certificate, as: identity),
                    serverName: name)
                #expect(try await isServed(agent, 1, edge))
            }
        }
        // TLS 1.3: the client may be done before the server has judged it.
        let stranger = try? await StreamAgent(
            to: edge.port(of: .tls), over: .tls, tls: TLSContext.client(trusting: first.certificate))
        try await stranger?.closed()
        try await edge.eventually("count the handshakes") {
            try await edge.metric("tandem_edge_tls_handshakes_total", "untrusted") == 1
        }
        #expect(try await edge.metric("tandem_edge_tls_handshakes_total", "completed") == 4)
    }

    @Test("SIGHUP, and a change of the files, renew the certificate; connections that are open go on", arguments: [true, false])
    func renewal(bySignal: Bool) async throws {
        let identity = try TestIdentity()
        let edge = try await LoneEdge(
            servers: [Self.nobody],
            environment: ["TANDEM_TLS_CERTIFICATE": identity.certificate, "TANDEM_TLS_KEY": identity.key])
        let trusted = try TLSContext.client(trusting: identity.certificate)
        let old = try await StreamAgent(to: edge.port(of: .tls), over: .tls, tls: trusted)
        #expect(try await isServed(old, 1, edge))
        try identity.renew("renewed", names: "DNS:renewed.example")
        if bySignal { edge.hangUp() }
        let renewed = try TLSContext.client(trusting: identity.certificate)
        var new: StreamAgent?
        try await edge.eventually("use the new certificate") {
            new = try? await StreamAgent(to: edge.port(of: .tls), over: .tls, tls: renewed, serverName: "renewed.example")
            return new != nil
        }
        #expect(try await isServed(try #require(new), 1, edge))
        #expect(try await isServed(old, 2, edge), "the old connection goes on")
        #expect(edge.log.contains("the certificates were renewed"))
    }

    @Test("RFC 8996: TLS 1.1 is refused, TLS 1.2 and 1.3 are served", arguments: [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)])
    func versions(option: String, isServed: Bool) async throws {
        let identity = try TestIdentity()
        let edge = try await LoneEdge(
            servers: [Self.nobody],
            environment: ["TANDEM_TLS_CERTIFICATE": identity.certificate, "TANDEM_TLS_KEY": identity.key])
        let openssl = ChildProcess(
            "/usr/bin/openssl",
            ["s_client", "-connect", "127.0.0.1:\(edge.port(of: .tls))", option, "-cipher", "ALL:@SECLEVEL=0", "-brief", "-no_ign_eof"])
        try openssl.run()
        openssl.waitUntilExit()
        #expect((openssl.terminationStatus == 0) == isServed)
        let outcome = isServed ? "completed" : "failed"
        try await edge.eventually("count the handshake") { try await edge.metric("tandem_edge_tls_handshakes_total", outcome) == 1 }
    }
}
